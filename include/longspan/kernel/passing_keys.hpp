#pragma once

#include <cstddef>

#include <longspan/core/interval.hpp>
#include <longspan/kernel/key_operand.hpp>
#include <longspan/kernel/packed_keys.hpp>
#include <longspan/kernel/prepare_row.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The keys of one key head for more query rows than streamed_keys takes: every panel is packed when it is asked for, in memory of the
// thread's, and all rows pass it while it is in L1. Meanwhile the next panel is asked for, through all their register blocks: asked for
// while this one is packed, 16 rows run 5 % slower (Zen 5).
template <class Words, class Mechanism, class S>
class passing_keys final : public key_operand<Words> {
 public:
  using T = typename Words::compute;
  using shape = tile_shape<T>;

  // `panel` has room for a packed panel, `scratch` for the numbers of one, each key padded to whole batches.
  passing_keys(const Mechanism& mechanism, index_t key_head, const head_view<const S>& keys, T* panel, T* scratch,
               read_ahead& ahead)
      : mechanism_(mechanism), key_head_(key_head), keys_(keys), panel_(panel), scratch_(scratch), ahead_(ahead) {}

  // As far ahead as a panel: it is packed from what was asked for while the one before was multiplied.
  static constexpr index_t keys_at_once = shape::panel;

  [[gnu::flatten]] void multiply(const T* query, index_t query_stride, index_t rows, interval keys, T* to,
                                 index_t stride) const override {
    const index_t first = round_down(keys.first, shape::panel), depth = words_for<Words>(keys_.channels);
    packed_keys<Words>(panel_, first, depth).pack(mechanism_, key_head_, keys_, first, scratch_, nothing_ahead{});
    const product<T, Words> p{query, query_stride, panel_ + (keys.first - first), shape::panel, to, stride, depth};
    const index_t blocks = round_up(rows, shape::block::rows) / shape::block::rows;
    shared_ahead shared(ahead_, blocks * words_of_a_word);
    detail::multiply<start::zero>(p, interval{0, rows}, keys.size(), shared);
    ahead_ = shared.ahead();
  }

 private:
  // How many words in a panel come of one in memory.
  static constexpr index_t words_of_a_word = index_t(sizeof(T) / (sizeof(S) * std::size_t(Words::per_word)));

  const Mechanism& mechanism_;
  index_t key_head_;
  const head_view<const S>& keys_;
  T *panel_, *scratch_;
  read_ahead& ahead_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
