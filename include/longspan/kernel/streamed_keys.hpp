#pragma once

#include <algorithm>
#include <span>
#include <type_traits>

#include <longspan/core/interval.hpp>
#include <longspan/kernel/key_operand.hpp>
#include <longspan/kernel/prepare_row.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/multiply_transposed.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The keys of one key head for a few query rows, which read each of them once: a batch or two of keys at a time, from where they lie if
// they need no preparation, else a batch prepared in the thread's own memory.
template <class Words, class Mechanism, head_rows Head>
class streamed_keys final : public key_operand<Words> {
 public:
  using T = typename Words::compute;
  using shape = tile_shape<T>;
  using number = row_number<Words, Head>;
  static constexpr index_t batches = std::is_same_v<number, T> ? shape::streamed_batches : 1;
  static constexpr index_t keys_at_once = batches * shape::lanes;

  // `scratch` has room for the numbers of a batch of keys, each padded to whole batches.
  streamed_keys(const Mechanism& mechanism, index_t key_head, const Head& keys, T* scratch, read_ahead& ahead)
      : mechanism_(mechanism), key_head_(key_head), keys_(keys), scratch_(scratch), ahead_(ahead) {}

  [[gnu::flatten]] void multiply(const T* query, index_t query_stride, index_t rows, interval keys, T* to,
                                 index_t stride) const override {
    const bool as_they_lie = Mechanism::keeps_keys && lies_ready<Words>(keys_);
    const bool one_by_one = keys_.token_stride * index_t(sizeof(typename Head::number)) % shape::same_set == 0;
    index_t reached = keys.first;
    const auto some = [&]<index_t Batches>(std::integral_constant<index_t, Batches>, index_t j) {
      const number* const from = reinterpret_cast<const number*>(keys_.row(j));
      multiply_transposed<Batches>(product<T, Words, number>{query, query_stride, from, keys_.token_stride / Words::per_word,
                                                             to + (j - keys.first), stride, query_stride},
                                   ahead_, rows);
    };
    for_each_lying_together(keys_, keys, [&](interval stretch) {
      index_t& j = reached;
      const index_t in_place = as_they_lie ? std::min(stretch.last, keys_.tokens) : 0;
      for (const index_t last = one_by_one ? 0 : in_place; j + keys_at_once <= last; j += keys_at_once)
        some(std::integral_constant<index_t, batches>{}, j);
      for (; j + lanes <= in_place; j += lanes) some(std::integral_constant<index_t, 1>{}, j);
      // A batch that does not lie together, in a stretch or across its end.
      for (; j < stretch.last; j += lanes)
        multiply_transposed<1>(product<T, Words>{query, query_stride, prepared(j, query_stride), query_stride,
                                                 to + (j - keys.first), stride, query_stride},
                               nothing_ahead{}, rows);
    });
  }

 private:
  static constexpr index_t lanes = shape::lanes;

  const T* prepared(index_t first, index_t stride) const {
    prepare_keys_of_head<Words>(mechanism_, key_head_, keys_, first, lanes, scratch_, stride, ahead_);
    return scratch_;
  }

  const Mechanism& mechanism_;
  index_t key_head_;
  const Head& keys_;
  T* scratch_;
  read_ahead& ahead_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
