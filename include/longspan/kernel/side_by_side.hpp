#pragma once

#include <cstdint>
#include <span>

#include <longspan/core/interval.hpp>
#include <longspan/kernel/key_operand.hpp>
#include <longspan/kernel/value_operand.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The keys of several heads whose tokens lie side by side, each for the query rows of its own head: all heads of a few keys before the
// next few, about as the memory lies. of_head(h, visit) calls visit with the keys of one head.
template <class Words, class OfHead>
class side_by_side_keys final : public key_operand<Words> {
 public:
  using T = typename Words::compute;

  side_by_side_keys(index_t heads, OfHead of_head) : heads_(heads), of_head_(of_head) {}

  void multiply(const T* query, index_t query_stride, index_t rows, interval keys, T* to, index_t stride) const override {
    const index_t each = rows / heads_;
    detail::cut_at_multiples(keys, tile_shape<T>::keys_side_by_side, [&](interval some) {
      for (index_t h = 0; h < heads_; ++h)
        of_head_(h, [&](const auto& own) {
          own.multiply(query + h * each * query_stride, query_stride, each, some,
                       to + h * each * stride + some.first - keys.first, stride);
        });
    });
  }

 private:
  index_t heads_;
  OfHead of_head_;
};

// Their values, likewise; a row of output has `width` numbers.
template <class Words, class OfHead>
class side_by_side_values final : public value_operand<Words> {
 public:
  using T = typename Words::compute;

  side_by_side_values(index_t heads, index_t width, OfHead of_head) : heads_(heads), width_(width), of_head_(of_head) {}

  void multiply(start from, const T* weights, index_t stride, index_t rows, interval keys, T* out) const override {
    const index_t each = rows / heads_;
    detail::cut_at_multiples(keys, tile_shape<T>::keys_side_by_side, [&](interval some) {
      for (index_t h = 0; h < heads_; ++h)
        of_head_(h, [&](const auto& own) {
          own.multiply(from, weights + h * each * stride + (some.first - keys.first) / Words::per_word, stride, each, some,
                       out + h * each * width_);
        });
      from = start::output;
    });
  }

  void multiply_seen(const T* weights, index_t stride, std::span<const std::uint64_t> seen, interval keys,
                     T* out) const override {
    const index_t each = index_t(seen.size()) / heads_;
    for (index_t h = 0; h < heads_; ++h)
      of_head_(h, [&](const auto& own) {
        own.multiply_seen(weights + h * each * stride, stride, seen.subspan(std::size_t(h * each), std::size_t(each)), keys,
                          out + h * each * width_);
      });
  }

 private:
  index_t heads_, width_;
  OfHead of_head_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
