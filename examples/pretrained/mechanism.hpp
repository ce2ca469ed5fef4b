#pragma once

#include <cmath>
#include <functional>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include <longspan/longspan.hpp>

#include "config.hpp"

namespace pretrained {

constexpr index_t no_bound = std::numeric_limits<index_t>::max();

// A rotation and a temperature that are chosen when the program runs, so that sentences are compiled once for all.
struct rotation {
  longspan::ladder rungs;
  longspan::ladder frequencies(index_t) const { return rungs; }
  bool operator==(const rotation&) const = default;
};
struct by_position {
  static constexpr longspan::stage order = longspan::stage::temperature;
  std::function<double(index_t)> factor;
  longspan::row_factor operator()(const longspan::query_row& row) const { return {factor(row.position)}; }
};

// How one layer reads its keys.
struct reading {
  longspan::ladder rungs;
  std::function<double(index_t)> temperature;
  double scale, softcap;
  index_t sinks = 0, window = no_bound;
  bool reindexed = false;  // sinks stand right before the window, whatever their places (StreamingLLM)
};

// Calls with(sentence) with what a layer reads its keys by.
void with_sentence(const reading& of, const auto& with) {
  const auto scores = longspan::dot_product{.scale = of.scale} | by_position{of.temperature};
  const longspan::sinks_and_window seen{.sinks = of.sinks, .window = of.window};
  if (of.reindexed)
    with(longspan::streaming_llm(of.sinks, of.window, scores, rotation{of.rungs}));
  else if (of.softcap > 0)
    with(rotation{of.rungs} | scores | longspan::softcap{of.softcap} | seen);
  else
    with(rotation{of.rungs} | scores | seen);
}

// A way to read texts that are longer than those a model was trained with: words joined by "+".
//   pi, ntk, yarn        positions rescaled for texts of `length` tokens; dynamic_ntk: for as many as there are, once they are too many
//   window               the last tokens, as many as the model was trained with; sinks: the first four too; streaming: as if they stood
//                        right before the window
//   info_scale, log_n    temperatures, never below 1; info_scale_unclamped, log_n_unclamped: as published
struct mechanism {
  std::string name;
  std::string positions = "as_trained", sight = "all", temperature = "none";

  explicit mechanism(const std::string& said) : name(said) {
    std::istringstream words(said);
    for (std::string word; std::getline(words, word, '+');) {
      if (word == "as_trained") continue;
      const auto one_of = [&](auto... names) { return ((word == names) || ...); };
      if (one_of("pi", "ntk", "yarn", "dynamic_ntk"))
        positions = word;
      else if (one_of("window", "sinks", "streaming"))
        sight = word;
      else if (one_of("info_scale", "log_n", "info_scale_unclamped", "log_n_unclamped"))
        temperature = word;
      else
        throw std::invalid_argument("no such mechanism: " + word);
    }
  }

  // Whether the first `trained` tokens are read as the model was trained to.
  bool begins_as_trained() const {
    return (positions == "as_trained" || positions == "dynamic_ntk") && !temperature.ends_with("unclamped");
  }

  // What a layer reads by when a text has so many tokens, or is to have them.
  reading read(const config& of, const layer_kind& kind, index_t length) const {
    reading made{rescaled(kind, of, length), {}, of.scale, of.softcap};
    const index_t trained = of.trained;
    if (sight != "all") made.window = trained - (sight == "window" ? 0 : 4), made.sinks = sight == "window" ? 0 : 4;
    made.reindexed = sight == "streaming";
    if (kind.window > 0 && kind.window < made.window) made.window = kind.window, made.sinks = 0, made.reindexed = false;
    const index_t most = made.window == no_bound ? no_bound : made.window + made.sinks;
    made.temperature = [=, clamped = !temperature.ends_with("unclamped"), which = temperature,
                        d = of.channels](index_t position) {
      const index_t n = std::min(position + 1, most);
      if (which.starts_with("info_scale")) return longspan::info_scale{.trained = trained, .clamp = clamped}.factor(n, d);
      if (which.starts_with("log_n")) return longspan::log_n{.trained = trained, .clamp = clamped}.factor(n);
      return 1.0;
    };
    return made;
  }

 private:
  longspan::ladder rescaled(const layer_kind& kind, const config& of, index_t length) const {
    longspan::ladder rungs = kind.of_few && length <= kind.few ? *kind.of_few : kind.rungs;
    const double factor = double(length) / double(of.trained), pairs = double(rungs.frequencies.size());
    if (factor <= 1 || kind.window > 0) return rungs;
    if (positions == "yarn") longspan::yarn_scaling{.factor = factor, .trained = of.trained}(rungs, 0, 0);
    for (std::size_t i = 0; i < rungs.frequencies.size(); ++i) {
      if (positions == "pi") rungs.frequencies[i] /= factor;
      if (positions.ends_with("ntk")) rungs.frequencies[i] *= std::pow(factor, -double(i) / (pairs - 1));
    }
    return rungs;
  }
};

}  // namespace pretrained
