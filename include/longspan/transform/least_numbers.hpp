#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/key_set.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The least of the numbers of any interval of keys, for every row of a (batch, head, 1, key) tensor. Beside each number stand the least of
// its block from the first to it, and from it to the last: two are read for as many keys as a block has, wherever they begin (the running
// minimum of van Herk 1992). A number that is not finite counts as -infinity. The tensor must stay.
template <class S>
class least_numbers {
  static constexpr index_t block = panel_keys;

 public:
  explicit least_numbers(const view<const S>& numbers)
      : numbers_(numbers), up_to_(std::size_t(numbers.extent[0] * numbers.extent[1] * numbers.extent[3])), from_(up_to_.size()) {
    const index_t keys = numbers.extent[3];
    for (index_t b = 0; b < numbers.extent[0]; ++b)
      for (index_t h = 0; h < numbers.extent[1]; ++h) {
        double *const up_to = up_to_.data() + begin(b, h), *const from = from_.data() + begin(b, h);
        for (index_t j = 0; j < keys; ++j) {
          from[j] = number(b, h, j);
          up_to[j] = j % block == 0 ? from[j] : std::min(up_to[j - 1], from[j]);
        }
        for (index_t j = keys - 2; j >= 0; --j)
          if (j % block != block - 1) from[j] = std::min(from[j], from[j + 1]);
      }
  }

  // Of a row of the tensor, for keys along its axis, of which there is one.
  double operator()(index_t b, index_t h, interval keys) const {
    const double *const up_to = up_to_.data() + begin(b, h), *const from = from_.data() + begin(b, h);
    const index_t last = keys.last - 1;
    double least = std::numeric_limits<double>::infinity();
    if (keys.first / block == last / block && keys.first % block != 0 && keys.last % block != 0) {
      for (index_t j = keys.first; j <= last; ++j) least = std::min(least, number(b, h, j));
      return least;
    }
    for (index_t j = keys.first; j <= last; j = (j / block + 1) * block)
      least = std::min(least, j / block == last / block && j % block == 0 ? up_to[last] : from[j]);
    return least;
  }

 private:
  double number(index_t b, index_t h, index_t j) const {
    const double number = static_cast<double>(numbers_.head(b, h).row(0)[j * numbers_.stride[3]]);
    return std::isfinite(number) ? number : -std::numeric_limits<double>::infinity();
  }
  index_t begin(index_t b, index_t h) const { return (b * numbers_.extent[1] + h) * numbers_.extent[3]; }

  view<const S> numbers_;
  buffer<double> up_to_, from_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
