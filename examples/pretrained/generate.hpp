#pragma once

#include <cstdio>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <Eigen/Core>

#include <longspan/cache/storage.hpp>

#include "sampling.hpp"
#include "text.hpp"

namespace pretrained {

struct generation {
  std::string mechanism = "as_trained", storage = "float";
  index_t tokens = 100, block = 512;
  sampling next;
};

// A cache for each layer, whose keys are turned once, for one way of reading; the name of its storage.
inline std::vector<longspan::any_cache<float>> caches(const config& of, const std::string& storage, const mechanism& way,
                                                      index_t length) {
  if (way.turns_keys_twice())
    throw std::invalid_argument(way.name + " turns keys in two ways: --cache rows keeps them as they came");
  const longspan::cache_shape shape{.key_heads = of.key_heads, .channels = of.channels, .value_channels = of.channels};
  std::vector<longspan::any_cache<float>> made;
  for (std::size_t layer = 0; layer < of.kinds.size(); ++layer) {
    const sentence by = way.of(of, layer, length, 1);  // a cache makes its own tables
    if (storage == "float") made.emplace_back(by, shape);
    if (storage == "bfloat16") made.emplace_back(by, shape, std::in_place_type<Eigen::bfloat16>);
    if (storage == "8") made.emplace_back(by, shape, std::in_place_type<longspan::quantized<8>>);
  }
  return made;
}

// Continues a prompt, a token a line; speeds go to the standard error.
template <class Past>
void continue_text(text<Past> of, std::span<const index_t> prompt, generation& how, index_t end) {
  const mechanism way(how.mechanism);
  const index_t length = index_t(prompt.size()) + how.tokens;
  double began = seconds();
  const auto speed = [&](const char* done, index_t tokens) {
    const double taken = seconds() - began, attention = of.take_attention_seconds();
    std::fprintf(stderr, "%td tokens %s at %.1f a second, %.2f ms each, %.2f of them attention\n", tokens, done,
                 double(tokens) / taken, 1000 * taken / double(tokens), 1000 * attention / double(tokens));
    began = seconds();
  };
  Matrix last;
  for (std::size_t first = 0; first < prompt.size(); first += std::size_t(how.block))
    last = of.read(way, prompt.subspan(first, std::min(std::size_t(how.block), prompt.size() - first)), length);
  speed("read", of.length());
  index_t made = 0;
  for (; made < how.tokens; ++made) {
    const index_t token = how.next(of.logits(last.bottomRows(1)).row(0));
    if (token == end) break;
    std::printf("%td\n", token), std::fflush(stdout);
    last = of.read(way, std::span(&token, 1), length);
  }
  if (made > 0) speed("written", made);
  std::fprintf(stderr, "Keys and values take %.1f MB.\n", double(of.bytes()) / 1e6);
}

inline void generate(const transformer& of, const team& threads, std::span<const index_t> prompt, generation how) {
  const config& c = of.config();
  const index_t length = index_t(prompt.size()) + how.tokens;
  if (how.storage == "rows")
    continue_text(text(of, threads, length, std::vector(c.kinds.size(), rows(c, length))), prompt, how, c.end);
  else
    continue_text(text(of, threads, length, caches(c, how.storage, mechanism(how.mechanism), length)), prompt, how, c.end);
}

}  // namespace pretrained
