#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include <longspan/core/interval.hpp>
#include <longspan/kernel/value_operand.hpp>
#include <longspan/tile/by_key.hpp>
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/multiply_seen.hpp>
#include <longspan/tile/read_ahead.hpp>

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

// Values that come from memory, read with what is `ahead`.
template <class Words>
class streamed_values final : public value_rows<Words> {
 public:
  using T = typename Words::compute;

  streamed_values(by_key<const T, Words::per_word> rows, index_t width, read_ahead& ahead)
      : value_rows<Words>(rows, width), ahead_(ahead) {}

  [[gnu::flatten]] void multiply(start from, const T* weights, index_t stride, index_t rows, interval keys,
                                 T* out) const override {
    if (from == start::zero) std::fill(out, out + rows * this->width_, T(0));
    multiply_streamed(this->operands(weights, stride, keys, out), rows, this->width_, ahead_);
  }

 private:
  read_ahead& ahead_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
