#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <longspan/position/scaling.hpp>
#include <longspan/transform/calibrated_temperature.hpp>

#include "../engine/transformer.hpp"

namespace pretrained {

using namespace engine;

// A model, and what its layers were calibrated with, if they were.
struct studied_model : transformer {
  std::vector<longspan::calibrated_temperature> fitted;

  studied_model(const std::filesystem::path& folder, std::vector<longspan::calibrated_temperature> temperatures)
      : transformer(folder), fitted(std::move(temperatures)) {}
};

// A way to read texts that are longer than those a model was trained with: words joined by "+", of each line one at most.
struct mechanism {
  std::string name;
  std::string positions = "as_trained", sight = "all", temperature = "none";

  explicit mechanism(const std::string& said) : name(said) {
    static const std::map<std::string, std::string mechanism::*> words = {
        // positions rescaled for texts of some length; dynamic_ntk: for as many tokens as there are, once they are too many
        {"pi", &mechanism::positions},
        {"ntk", &mechanism::positions},
        {"yarn", &mechanism::positions},
        {"dynamic_ntk", &mechanism::positions},
        // the last m tokens, m being the trained length; the first four, too, at their places or as if they stood right before the window
        {"window", &mechanism::sight},
        {"sinks", &mechanism::sight},
        {"streaming", &mechanism::sight},
        // all tokens, those beyond m / 4, m / 2 or a chunk at positions that were trained; the first ten and the last m
        {"self_extend", &mechanism::sight},
        {"rerope", &mechanism::sight},
        {"dual_chunk", &mechanism::sight},
        {"lm_infinite", &mechanism::sight},
        // never below 1, or as published
        {"info_scale", &mechanism::temperature},
        {"log_n", &mechanism::temperature},
        {"info_scale_unclamped", &mechanism::temperature},
        {"log_n_unclamped", &mechanism::temperature},
        // of each head, as `calibrate` has fitted it to the model
        {"calibrated", &mechanism::temperature}};
    std::istringstream list(said);
    for (std::string word; std::getline(list, word, '+');) {
      if (word == "as_trained") continue;
      const auto found = words.find(word);
      if (found == words.end()) throw std::invalid_argument("no such mechanism: " + word);
      std::string& own = this->*found->second;
      if (words.contains(own)) throw std::invalid_argument(own + " and " + word + " exclude each other");
      own = word;
    }
  }

  // Then a cache does not keep them.
  bool turns_keys_twice() const { return sight == "self_extend" || sight == "rerope" || sight == "lm_infinite"; }
  bool grows() const { return positions == "dynamic_ntk"; }

  // Whether the first m tokens are read as the model was trained to.
  bool begins_as_trained() const {
    return (positions == "as_trained" || grows()) && sight != "self_extend" && sight != "rerope" &&
           !temperature.ends_with("unclamped");
  }

  // How a layer reads a text of `length` tokens, with tables for as many as there is room for.
  sentence of(const studied_model& model, std::size_t layer, index_t length, index_t room) const;
  // Every layer: those that read alike share a sentence and its tables.
  std::vector<sentence> of_layers(const studied_model& model, index_t length, index_t room) const {
    const auto& kinds = model.config().kinds;
    std::vector<sentence> made;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      const auto alike = temperature == "calibrated" ? i : std::size_t(std::ranges::find(kinds, kinds[i]) - kinds.begin());
      made.push_back(alike < i ? made[alike] : of(model, i, length, room));
    }
    return made;
  }

  longspan::ladder rungs(const config& model, const layer_kind& kind, index_t length) const {
    longspan::ladder made = kind.of_few && length <= kind.few ? *kind.of_few : kind.rungs;
    const double factor = double(length) / double(model.trained), pairs = double(made.frequencies.size());
    if (factor <= 1 || kind.window > 0) return made;
    if (positions == "yarn") longspan::yarn_scaling{.factor = factor, .trained = model.trained}(made, 0, 0);
    for (std::size_t i = 0; i < made.frequencies.size(); ++i) {
      if (positions == "pi") made.frequencies[i] /= factor;
      if (positions.ends_with("ntk")) made.frequencies[i] *= std::pow(factor, -double(i) / (pairs - 1));
    }
    return made;
  }
};

}  // namespace pretrained
