#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <numeric>

#include "tensors.hpp"

namespace testing_support {

// Of padded texts, the first lengths[b] tokens of row b, one text behind the other without padding.
template <class T, std::size_t Texts>
tensor<T> packed(const tensor<T>& padded, const std::array<longspan::index_t, Texts>& lengths) {
  using longspan::index_t;
  tensor<T> made(1, padded.dimension(1), std::accumulate(lengths.begin(), lengths.end(), index_t(0)), padded.dimension(3));
  index_t first = 0;
  for (index_t b = 0; b < index_t(Texts); first += lengths[std::size_t(b++)])
    for (index_t h = 0; h < padded.dimension(1); ++h)
      for (index_t i = 0; i < lengths[std::size_t(b)]; ++i)
        for (index_t c = 0; c < padded.dimension(3); ++c) made(0, h, first + i, c) = padded(b, h, i, c);
  return made;
}

// Where each of them begins there, and where the last ends.
template <std::size_t Texts>
std::array<longspan::index_t, Texts + 1> starts_of(const std::array<longspan::index_t, Texts>& lengths) {
  std::array<longspan::index_t, Texts + 1> starts{};
  std::partial_sum(lengths.begin(), lengths.end(), starts.begin() + 1);
  return starts;
}

// NaN behind the tokens of each padded text.
template <class T, std::size_t Texts>
void poison_padding(tensor<T>& padded, const std::array<longspan::index_t, Texts>& lengths) {
  using longspan::index_t;
  for (index_t b = 0; b < index_t(Texts); ++b)
    for (index_t h = 0; h < padded.dimension(1); ++h)
      for (index_t i = lengths[std::size_t(b)]; i < padded.dimension(2); ++i)
        for (index_t c = 0; c < padded.dimension(3); ++c) padded(b, h, i, c) = std::numeric_limits<T>::quiet_NaN();
}

}  // namespace testing_support
