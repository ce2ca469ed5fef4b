#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include <longspan/cache/byte_rows.hpp>
#include <longspan/cache/page.hpp>
#include <longspan/cache/text_pages.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/kernel/key_operand.hpp>
#include <longspan/simd/byte_words.hpp>
#include <longspan/simd/words.hpp>
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/read_ahead.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Keys of 8 bits where the instruction set multiplies bytes: queries become integers of 15 bits, once for a tile of keys, so that what they
// are rounded by is a hundredth of what keys are.
template <class Ahead>
class byte_keys : public key_operand<number_words<float>> {
  using Storage = quantized<8>;
  using layout = page_layout<Storage>;

 public:
  using T = float;

  byte_keys(const layout& of, const text_pages<Storage>& text, index_t head, byte_room& room, Ahead& ahead)
      : layout_(of), text_(text), head_(head), room_(room), ahead_(ahead) {}

  [[gnu::flatten]] void multiply(const T* query, index_t query_stride, index_t rows, interval keys, T* to,
                                 index_t stride) const override {
    if (query != rounded_) round(query, query_stride, rows);
    std::byte* const page = text_.page_of(keys.first);
    const index_t first = keys.first % layout::keys, words = layout_.depth() / 4;
    const product<std::int32_t, byte_words<unsigned_bytes::right>> p{
        room_.query_words.data(),
        byte_room::words_of_query(layout_.channels),
        reinterpret_cast<const std::int32_t*>(layout_.key_panel(page, head_, first)) + first % layout::panel,
        layout::panel,
        room_.sums.data(),
        layout::panel,
        words};
    detail::multiply_first_ahead<start::zero>(p, 2 * rows, keys.size(), ahead_);
    ahead_.ask(keys.size() * index_t(sizeof(T)));
    const T* const scales = layout_.key_scales(page, head_) + first;
    using Batch = batch<T>;
    for (index_t r = 0; r < rows; ++r) {
      const byte_rows::of_query& of = room_.queries[std::size_t(r)];
      const std::int32_t *const upper = p.out + 2 * r * layout::panel, *const lower = upper + layout::panel;
      for (index_t j = 0; j < keys.size(); j += simd::lanes<Batch>)  // keys are 128 more than they are
        simd::store(to + r * stride + j, Batch(of.scale) * simd::load<Batch>(scales + j) *
                                             byte_rows::joined(upper + j, 128 * of.upper, lower + j, 128 * of.lower, 128));
    }
  }

 private:
  void round(const T* query, index_t query_stride, index_t rows) const {
    const index_t bytes = 4 * byte_room::words_of_query(layout_.channels);
    auto* to = reinterpret_cast<std::int8_t*>(room_.query_words.data());
    room_.queries.clear();
    for (index_t r = 0; r < rows; ++r, to += 2 * bytes)
      room_.queries.push_back(byte_rows::write_query(query + r * query_stride, bytes, to, to + bytes));
    rounded_ = query;
  }

  const layout& layout_;
  const text_pages<Storage>& text_;
  index_t head_;
  byte_room& room_;
  Ahead& ahead_;
  mutable const T* rounded_ = nullptr;  // the queries that are in the room
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
