#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <longspan/cache/integer_rows.hpp>
#include <longspan/cache/page_layout.hpp>
#include <longspan/cache/text_pages.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/key_set.hpp>
#include <longspan/kernel/value_operand.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/integer_pairs.hpp>
#include <longspan/simd/keep.hpp>
#include <longspan/simd/words.hpp>
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/read_ahead.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Values of 8 bits where the instruction set multiplies integers: the weights of a row for the keys of a panel, each times the scale of its
// value, become integers of 16 bits. Panel by panel, whoever asks, so that a row has the same bits beside any others.
template <class Ahead>
class integer_values : public value_operand<number_words<float>> {
  using Storage = quantized<8>;
  using layout = page_layout<Storage>;
  using Batch = batch<float>;
  static constexpr index_t panel = layout::panel, lanes = simd::lanes<Batch>;

 public:
  using T = float;

  integer_values(const layout& of, const text_pages<Storage>& text, index_t head, integer_room& room, Ahead& ahead)
      : layout_(of), text_(text), head_(head), room_(room), ahead_(ahead) {}

  void multiply(start from, const T* weights, index_t stride, index_t rows, interval keys, T* out) const override {
    if (from == start::zero) std::fill(out, out + rows * width(), T(0));
    for (index_t first = keys.first; first < keys.last; first += panel)
      add(weights + (first - keys.first), stride, rows, {first, first + panel}, [](index_t) { return ~std::uint64_t(0); }, out);
  }
  void multiply_seen(const T* weights, index_t stride, std::span<const std::uint64_t> seen, interval keys,
                     T* out) const override {
    add(weights, stride, index_t(seen.size()), keys, [&](index_t r) { return seen[std::size_t(r)]; }, out);
  }

 private:
  index_t width() const { return round_up(layout_.value_channels, layout::shape::lanes); }

  // out += weights values, of keys of one panel: seen(r) says by bits from the first key on which of them row r sees.
  template <class Seen>
  [[gnu::flatten]] void add(const T* weights, index_t stride, index_t rows, interval keys, Seen seen, T* out) const {
    std::byte* const page = text_.page_of(keys.first);
    const index_t first = round_down(keys.first % layout::keys, panel), skipped = keys.first % panel;
    ahead_.ask(keys.size() * index_t(sizeof(T)));
    const T* const scales = layout_.value_scales(page, head_) + first;
    std::array<T, std::size_t(tile_shape<T>::most_decode_rows)> scale_of;
    for (index_t r = 0; r < rows; ++r) {
      const std::uint64_t bits = seen(r) << skipped & interval{0, skipped + keys.size()}.bits(0);
      alignas(64) std::array<T, std::size_t(panel)> scaled{};
      for (index_t j = round_down(skipped, lanes); j < skipped + keys.size(); j += lanes)
        simd::store(&scaled[std::size_t(j)],
                    simd::keep(bits >> j, simd::load<Batch>(weights + r * stride + j - skipped) * simd::load<Batch>(scales + j),
                               Batch(T(0))));
      auto* const to = reinterpret_cast<std::int16_t*>(room_.weight_words.data()) + r * panel;
      scale_of[std::size_t(r)] = integer_rows::write(scaled.data(), panel, integer_rows::most_of(panel), to);
    }
    const product<std::int32_t, integer_pairs, simd::byte_pair> p{
        room_.weight_words.data(),
        panel / 2,
        reinterpret_cast<const simd::byte_pair*>(layout_.value_row(page, head_, first)),
        layout_.width(),
        room_.sums.data(),
        width(),
        panel / 2};
    detail::multiply_first_ahead<start::zero>(p, rows, width(), ahead_);
    for (index_t r = 0; r < rows; ++r)
      for (index_t c = 0; c < width(); c += lanes)
        simd::store(out + r * width() + c,
                    simd::load<Batch>(out + r * width() + c) +
                        Batch(scale_of[std::size_t(r)]) * integer_rows::to_floats(p.out + r * width() + c));
  }

  const layout& layout_;
  const text_pages<Storage>& text_;
  index_t head_;
  integer_room& room_;
  Ahead& ahead_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
