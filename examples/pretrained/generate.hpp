#pragma once

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "model.hpp"
#include "sampling.hpp"

namespace pretrained {

inline double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// A cache of float, bfloat16 or 8 bits for each layer.
inline std::vector<std::unique_ptr<kept>> caches(const model& of, const std::string& storage, const mechanism& way,
                                                 index_t length) {
  std::vector<std::unique_ptr<kept>> made;
  const config& c = of.config();
  for (const layer_kind& kind : c.kinds) {
    const reading by = way.read(c, kind, length);
    if (storage == "float") made.push_back(keep_in_cache<float>(c.key_heads, c.channels, by));
    if (storage == "bfloat16") made.push_back(keep_in_cache<Eigen::bfloat16>(c.key_heads, c.channels, by));
    if (storage == "8") made.push_back(keep_in_cache<longspan::quantized<8>>(c.key_heads, c.channels, by));
  }
  return made;
}

struct generation {
  std::string mechanism = "as_trained", storage = "float";
  index_t tokens = 100, block = 512;
  sampling next;
};

// Continues a prompt, a token a line; speeds go to the standard error.
inline void generate(const model& of, const team& threads, std::vector<index_t> prompt, generation how) {
  const mechanism way(how.mechanism);
  const index_t length = index_t(prompt.size()) + how.tokens;
  const auto past = caches(of, how.storage, way, length);
  const auto by = [&](index_t layer) { return way.read(of.config(), of.config().kinds[std::size_t(layer)], length); };
  const double began = seconds();
  Matrix last;
  for (std::size_t first = 0; first < prompt.size(); first += std::size_t(how.block)) {
    const std::size_t count = std::min(std::size_t(how.block), prompt.size() - first);
    last = of(threads, std::span(prompt).subspan(first, count), by, past);
  }
  const double read = seconds();
  index_t made = 0;
  for (; made < how.tokens; ++made) {
    const index_t token = how.next(of.logits(threads, last.bottomRows(1)).row(0));
    if (token == of.config().end) break;
    std::printf("%td\n", token), std::fflush(stdout);
    last = of(threads, std::span(&token, 1), by, past);
  }
  const double ended = seconds();
  index_t bytes = 0;
  for (const auto& each : past) bytes += each->bytes();
  std::fprintf(stderr, "\n%zu tokens read at %.0f a second, %td written at %.1f a second (%.1f ms a token), cache %.1f MB\n",
               prompt.size(), double(prompt.size()) / (read - began), made, double(made) / (ended - read),
               1000 * (ended - read) / double(std::max<index_t>(made, 1)), double(bytes) / 1e6);
}

}  // namespace pretrained
