#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <longspan/simd/lanes.hpp>
#include <longspan/simd/multiply_add.hpp>
#include <longspan/simd/quiet.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace simd {

// Several batches that take the same steps abreast. The dependent steps of one batch wait for each other in the processor's scheduler,
// which holds few such chains: 2^x in float takes 5.5 cycles for each batch one after the other, 5.0 four abreast, and 4 are those of its
// multiply-adds (Zen 5, AVX-512). g++ and clang++ leave the order of whole batches as it is written.
template <class Batch, std::size_t Count>
struct abreast {
  using value_type = scalar<Batch>;

  std::array<Batch, Count> batches;

  explicit abreast(const std::array<Batch, Count>& each) : batches(each) {}
  explicit abreast(value_type x) : abreast(of_numbers([=](auto) LONGSPAN_INLINE { return Batch(x); })) {}

  // Applies a function to the number of each batch. Expanded and not looped over: g++ would keep an array of batches in memory.
  template <class Function>
  static abreast of_numbers(Function function) {
    return [&]<std::size_t... Number>(std::index_sequence<Number...>) LONGSPAN_INLINE {
      return abreast(std::array<Batch, Count>{function(std::integral_constant<std::size_t, Number>{})...});
    }(std::make_index_sequence<Count>{});
  }
  // Applies a function of batches to the first of each argument, the second of each, and so on.
  template <class Function, class... Arguments>
  static abreast of_each(Function function, const Arguments&... arguments) {
    return of_numbers([&](auto number) LONGSPAN_INLINE { return function(arguments.batches[number]...); });
  }
  friend abreast operator+(const abreast& x, const abreast& y) {
    return of_each([](const Batch& a, const Batch& b) { return a + b; }, x, y);
  }
  friend abreast operator-(const abreast& x, const abreast& y) {
    return of_each([](const Batch& a, const Batch& b) { return a - b; }, x, y);
  }
  friend abreast operator*(const abreast& x, const abreast& y) {
    return of_each([](const Batch& a, const Batch& b) { return a * b; }, x, y);
  }
};

template <class Batch, std::size_t Count>
abreast<Batch, Count> max(const abreast<Batch, Count>& x, const abreast<Batch, Count>& y) {
  return x.of_each([](const Batch& a, const Batch& b) { return simd::max(a, b); }, x, y);
}

template <class Batch, std::size_t Count>
abreast<Batch, Count> multiply_add(const abreast<Batch, Count>& x, const abreast<Batch, Count>& y,
                                   const abreast<Batch, Count>& z) {
  return x.of_each([](const Batch& a, const Batch& b, const Batch& c) { return simd::multiply_add(a, b, c); }, x, y, z);
}

}  // namespace simd
LONGSPAN_NAMESPACE_END
