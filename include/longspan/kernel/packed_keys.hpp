#pragma once

#include <algorithm>
#include <span>

#include <longspan/core/interval.hpp>
#include <longspan/kernel/prepare_row.hpp>
#include <longspan/tile/multiply.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>
#include <longspan/tile/transpose.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The keys of one key head, prepared once for many query rows and transposed into panels: word c of key j of a panel stands at
// c * panel + j.
template <class Words>
struct packed_keys {
  using T = typename Words::compute;
  using shape = tile_shape<T>;

  T* panels;
  index_t depth;  // words of a key

  static index_t size(index_t keys, index_t depth) { return round_up(keys, shape::panel) * depth; }

  // Scores of some rows for some keys of one panel, whole batches, a key a column of p.out.
  void multiply(product<T, Words> p, index_t rows, interval keys) const {
    const index_t panel = round_down(keys.first, shape::panel);
    p.depth = depth;
    p.right = panels + panel * depth + keys.first - panel, p.right_stride = shape::panel;
    longspan::multiply<start::zero>(p, rows, keys.size());
  }

  // Fills the panel that begins at key `first`, and asks for what is `ahead` meanwhile. `scratch` has room for the numbers of one panel,
  // each key padded to whole batches.
  template <class Mechanism, class S, class Ahead>
  void pack(const Mechanism& mechanism, const head_view<const S>& keys, index_t first, T* scratch, Ahead&& ahead) const {
    const index_t count = std::min(shape::panel, keys.tokens - first), stride = padded_words_for<Words>(keys.channels);
    if (Mechanism::keeps_keys && is_words<Words>(keys) && count == shape::panel)
      return transpose(reinterpret_cast<const T*>(keys.row(first)), keys.token_stride / Words::per_word, first, ahead);
    for (index_t j = 0; j < count; ++j) {
      ahead.ask(keys.channels * index_t(sizeof(S)));
      prepare_row<Words>(keys, first + j, scratch + j * stride,
                         [&](std::span<T> channels) { mechanism.key(channels, mechanism.call.first_key + first + j); });
    }
    std::fill(scratch + count * stride, scratch + shape::panel * stride, T(0));
    transpose(scratch, stride, first, nothing_ahead{});
  }

  // The same from rows of words that are prepared already.
  template <class Ahead>
  void transpose(const T* rows, index_t stride, index_t first, Ahead&& ahead) const {
    for (index_t j = 0; j < shape::panel; j += shape::lanes)
      for (index_t c = 0; c < depth; c += shape::lanes) {
        ahead.ask(shape::lanes * shape::lanes * index_t(sizeof(T)));
        longspan::transpose(rows + j * stride + c, stride, panels + first * depth + c * shape::panel + j, shape::panel,
                            depth - c);
      }
  }
};

LONGSPAN_NAMESPACE_END
