#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <longspan/any_mechanism.hpp>
#include <longspan/cache/storage.hpp>

#include "config.hpp"
#include "team.hpp"

namespace engine {

using longspan::view;
using sentence = longspan::any_mechanism<float>;
using cache = longspan::any_cache<float>;

// What each layer keeps of a text: keys, turned once as its sentence turns them, and values, as float, bfloat16 or 8 bits.
inline std::vector<cache> caches(const config& of, std::span<const sentence> by, const std::string& storage) {
  const longspan::cache_shape shape{.key_heads = of.key_heads, .channels = of.channels, .value_channels = of.channels};
  std::vector<cache> made;
  for (const sentence& each : by) {
    if (storage == "float") made.emplace_back(each, shape);
    if (storage == "bfloat16") made.emplace_back(each, shape, std::in_place_type<Eigen::bfloat16>);
    if (storage == "8") made.emplace_back(each, shape, std::in_place_type<longspan::quantized<8>>);
  }
  if (made.size() < by.size()) throw std::invalid_argument("keys and values are not kept as " + storage);
  return made;
}

// Attention of a text's last tokens.
inline void attend(const team& threads, const sentence& by, const view<const float>& q, const cache& past,
                   const view<float>& output) {
  longspan::forward_into(threads, by, q, past, output);
}

}  // namespace engine
