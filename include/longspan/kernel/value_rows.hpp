#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <longspan/core/interval.hpp>
#include <longspan/kernel/value_operand.hpp>
#include <longspan/simd/words.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/by_key.hpp>
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/multiply_seen.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The values of one key head: a row of `width` words for each key, or for as many keys as a word holds.
template <class Words>
class value_rows : public value_operand<Words> {
 public:
  using T = typename Words::compute;

  value_rows(by_key<const T, Words::per_word> rows, index_t width) : rows_(rows), width_(width) {}

  [[gnu::flatten]] void multiply(start from, const T* weights, index_t stride, index_t rows, interval keys,
                                 T* out) const override {
    const auto p = operands(weights, stride, keys, out);
    if (from == start::zero)
      detail::multiply<start::zero>(p, rows, width_);
    else
      detail::multiply<start::output>(p, rows, width_);
  }

  [[gnu::flatten]] void multiply_seen(const T* weights, index_t stride, std::span<const std::uint64_t> seen, interval keys,
                                      T* out) const override {
    detail::multiply_seen(operands(weights, stride, keys, out), seen, width_);
  }

 protected:
  ~value_rows() = default;

  product<T, Words> operands(const T* weights, index_t stride, interval keys, T* out) const {
    return {weights, stride, rows_.at(keys.first), rows_.stride, out, width_, keys.size() / Words::per_word};
  }

  by_key<const T, Words::per_word> rows_;
  index_t width_;
};

// Values that the caches hold.
template <class Words>
class cached_values final : public value_rows<Words> {
 public:
  using value_rows<Words>::value_rows;
};

// Values that come from memory, of a head as it lies, read with what is `ahead`.
template <class Words, head_rows Head>
class streamed_values final : public value_operand<Words> {
 public:
  using T = typename Words::compute;
  using number = typename Head::number;

  streamed_values(const Head& values, index_t width, read_ahead& ahead) : values_(values), width_(width), ahead_(ahead) {}

  [[gnu::flatten]] void multiply(start from, const T* weights, index_t stride, index_t rows, interval keys,
                                 T* out) const override {
    if (from == start::zero) std::fill(out, out + rows * width_, T(0));
    for_each_lying_together(values_, keys, [&](interval some) {
      multiply_streamed(operands(weights + (some.first - keys.first), stride, some, out), rows, width_, ahead_);
    });
  }

  [[gnu::flatten]] void multiply_seen(const T* weights, index_t stride, std::span<const std::uint64_t> seen, interval keys,
                                      T* out) const override {
    keys.last = std::min(keys.last, values_.tokens);
    if (values_.together_until(keys.first) >= keys.last)
      return detail::multiply_seen(operands(weights, stride, keys, out), seen, width_);
    std::array<std::uint64_t, std::size_t(tile_shape<T>::most_decode_rows)> of_some;
    for_each_lying_together(values_, keys, [&](interval some) {
      const index_t before = some.first - keys.first;
      for (std::size_t r = 0; r < seen.size(); ++r) of_some[r] = seen[r] >> before;
      detail::multiply_seen(operands(weights + before, stride, some, out), std::span(of_some).first(seen.size()), width_);
    });
  }

 private:
  product<T, Words, number> operands(const T* weights, index_t stride, interval keys, T* out) const {
    return {weights, stride, values_.row(keys.first), values_.token_stride, out, width_, keys.size()};
  }

  const Head& values_;
  index_t width_;
  read_ahead& ahead_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
