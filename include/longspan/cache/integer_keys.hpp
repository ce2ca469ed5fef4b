#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include <longspan/cache/integer_rows.hpp>
#include <longspan/cache/page_layout.hpp>
#include <longspan/cache/text_pages.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/kernel/key_operand.hpp>
#include <longspan/simd/integer_pairs.hpp>
#include <longspan/simd/words.hpp>
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/read_ahead.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Keys of 8 bits where the instruction set multiplies integers: queries become integers of 16 bits, once for a tile of keys.
template <class Ahead>
class integer_keys : public key_operand<number_words<float>> {
  using Storage = quantized<8>;
  using layout = page_layout<Storage>;

 public:
  using T = float;

  integer_keys(const layout& of, const text_pages<Storage>& text, index_t head, integer_room& room, Ahead& ahead)
      : layout_(of), text_(text), head_(head), room_(room), ahead_(ahead) {}

  [[gnu::flatten]] void multiply(const T* query, index_t query_stride, index_t rows, interval keys, T* to,
                                 index_t stride) const override {
    if (query != rounded_) round(query, query_stride, rows);
    std::byte* const page = text_.page_of(keys.first);
    const index_t first = keys.first % layout::keys;
    const product<std::int32_t, integer_pairs, simd::byte_pair> p{
        room_.query_words.data(),
        integer_room::words_of_query(layout_.channels),
        reinterpret_cast<const simd::byte_pair*>(layout_.key_panel(page, head_, first)) + first % layout::panel,
        layout::panel,
        room_.sums.data(),
        layout::panel,
        layout_.depth() / 2};
    detail::multiply_first_ahead<start::zero>(p, rows, keys.size(), ahead_);
    ahead_.ask(keys.size() * index_t(sizeof(T)));
    const T* const scales = layout_.key_scales(page, head_) + first;
    using Batch = batch<T>;
    for (index_t r = 0; r < rows; ++r)
      for (index_t j = 0; j < keys.size(); j += simd::lanes<Batch>)
        simd::store(to + r * stride + j, Batch(room_.query_scales[std::size_t(r)]) * simd::load<Batch>(scales + j) *
                                             integer_rows::to_floats(p.out + r * layout::panel + j));
  }

 private:
  void round(const T* query, index_t query_stride, index_t rows) const {
    const index_t numbers = 2 * integer_room::words_of_query(layout_.channels);
    auto* const to = reinterpret_cast<std::int16_t*>(room_.query_words.data());
    room_.query_scales.clear();
    for (index_t r = 0; r < rows; ++r)
      room_.query_scales.push_back(
          integer_rows::write(query + r * query_stride, numbers, integer_rows::most_of(layout_.channels), to + r * numbers));
    rounded_ = query;
  }

  const layout& layout_;
  const text_pages<Storage>& text_;
  index_t head_;
  integer_room& room_;
  Ahead& ahead_;
  mutable const T* rounded_ = nullptr;  // the queries that are in the room
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
