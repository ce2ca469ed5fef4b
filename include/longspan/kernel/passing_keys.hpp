#pragma once

#include <longspan/core/interval.hpp>
#include <longspan/kernel/key_operand.hpp>
#include <longspan/kernel/packed_keys.hpp>
#include <longspan/kernel/prepare_row.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The keys of one key head for more query rows than streamed_keys takes: every panel is packed when it is asked for, in memory of the
// thread's, and all rows pass it while it is in L1. Packing a whole tile first, which then comes from L2, takes twice the time.
template <class Words, class Mechanism, class S>
class passing_keys final : public key_operand<Words> {
 public:
  using T = typename Words::compute;
  using shape = tile_shape<T>;

  // `panel` has room for a packed panel, `scratch` for the numbers of one, each key padded to whole batches.
  passing_keys(const Mechanism& mechanism, const head_view<const S>& keys, T* panel, T* scratch, read_ahead& ahead)
      : mechanism_(mechanism), keys_(keys), panel_(panel), scratch_(scratch), ahead_(ahead) {}

  void multiply(const T* query, index_t query_stride, index_t rows, interval keys, T* to, index_t stride) const override {
    const index_t first = round_down(keys.first, shape::panel);
    const packed_keys<Words> packed(panel_, first, words_for<Words>(keys_.channels));
    packed.pack(mechanism_, keys_, first, scratch_, ahead_);
    packed.multiply(query, query_stride, rows, keys, to, stride);
  }

 private:
  const Mechanism& mechanism_;
  const head_view<const S>& keys_;
  T *panel_, *scratch_;
  read_ahead& ahead_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
