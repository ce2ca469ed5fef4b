#pragma once

#include <algorithm>
#include <cstdio>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <Eigen/Core>

#include "../engine/sampling.hpp"
#include "../model/seconds.hpp"
#include "text.hpp"
#include "timed.hpp"

namespace pretrained {

struct generation {
  std::string mechanism = "as_trained", storage = "float";
  index_t tokens = 100, block = 2048;
  sampling next;
};

// Caches whose keys are turned for one way of reading, and by the name of their storage.
inline std::vector<cache> prepared(const studied_model& of, const std::string& storage, const mechanism& way, index_t length) {
  if (way.turns_keys_twice())
    throw std::invalid_argument(way.name + " turns keys in two ways: --cache rows keeps them as they came");
  return caches(of.config(), way.of_layers(of, length, 1), storage);  // a cache makes its own tables
}

// Continues a prompt, a token a line; speeds go to the standard error.
template <class Past>
void continue_text(const studied_model& model, const team& threads, std::vector<Past> kept, std::span<const index_t> prompt,
                   generation& how) {
  const mechanism way(how.mechanism);
  const index_t length = index_t(prompt.size()) + how.tokens;
  text of(model, threads, length, std::vector<timed<Past>>(kept.begin(), kept.end()));
  double began = model::seconds();
  const auto speed = [&](const char* done, index_t tokens) {
    const double taken = model::seconds() - began;
    double attention = 0;
    for (auto& layer : of.past()) attention += std::exchange(layer.attention, 0);
    std::fprintf(stderr, "%td tokens %s at %.1f a second, %.2f ms each, %.2f of them attention\n", tokens, done,
                 double(tokens) / taken, 1000 * taken / double(tokens), 1000 * attention / double(tokens));
    began = model::seconds();
  };
  const auto& ends = model.config().ends;
  Matrix last;
  for (std::size_t first = 0; first < prompt.size(); first += std::size_t(how.block))
    last = of.read(way, prompt.subspan(first, std::min(std::size_t(how.block), prompt.size() - first)), length);
  speed("read", of.length());
  index_t made = 0;
  for (; made < how.tokens; ++made) {
    const index_t token = how.next(of.logits(last.bottomRows(1)).row(0));
    if (std::ranges::find(ends, token) != ends.end()) break;
    std::printf("%td\n", token), std::fflush(stdout);
    last = of.read(way, std::span(&token, 1), length);
  }
  if (made > 0) speed("written", made);
  std::fprintf(stderr, "Keys and values take %.1f MB.\n", double(of.bytes()) / 1e6);
}

inline void generate(const studied_model& of, const team& threads, std::span<const index_t> prompt, generation how) {
  const index_t length = index_t(prompt.size()) + how.tokens;
  if (how.storage == "rows")
    continue_text(of, threads, std::vector(of.config().kinds.size(), rows(of.config(), length)), prompt, how);
  else
    continue_text(of, threads, prepared(of, how.storage, mechanism(how.mechanism), length), prompt, how);
}

}  // namespace pretrained
