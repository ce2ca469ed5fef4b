#pragma once

#include <algorithm>
#include <span>

#include <longspan/core/interval.hpp>
#include <longspan/kernel/packed_keys.hpp>
#include <longspan/kernel/prepare_row.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/multiply_transposed.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The keys of one key head for a few query rows that read each of them once: a batch of keys at a time, from where they lie if they
// need no preparation, else prepared in memory of the thread's.
template <class Words, class Mechanism, class S>
struct streamed_keys {
  using T = typename Words::compute;
  static constexpr index_t lanes = tile_shape<T>::lanes;

  const Mechanism& mechanism;
  head_view<const S> keys;
  T* scratch;  // room for the numbers of a batch of keys, each padded to whole batches
  read_ahead* ahead;

  // Scores of some rows for some keys, whole batches, a key a column of p.out.
  void multiply(product<T, Words> p, index_t rows, interval of) const {
    const bool as_they_lie = Mechanism::keeps_keys && is_words<Words>(keys);
    for (index_t j = of.first; j < of.last; j += lanes, p.out += lanes) {
      if (as_they_lie && j + lanes <= keys.tokens) {
        p.right = reinterpret_cast<const T*>(keys.row(j)), p.right_stride = keys.token_stride / Words::per_word;
        multiply_transposed(p, *ahead, rows);
      } else {
        p.right = prepared(j, p.depth), p.right_stride = p.depth;
        multiply_transposed(p, nothing_ahead{}, rows);
      }
    }
  }

 private:
  // Keys beyond the last repeat it: their scores are cut.
  const T* prepared(index_t first, index_t stride) const {
    for (index_t j = 0; j < lanes; ++j) {
      const index_t token = std::min(first + j, keys.tokens - 1);
      ahead->ask(keys.channels * index_t(sizeof(S)));
      prepare_row<Words>(keys, token, scratch + j * stride,
                         [&](std::span<T> channels) { mechanism.key(channels, mechanism.call.first_key + token); });
    }
    return scratch;
  }
};

// The keys of one key head, wherever the scores come from: panels, or memory where there are none.
template <class Words, class Mechanism, class S>
struct head_keys {
  using T = typename Words::compute;

  packed_keys<Words> packed;
  streamed_keys<Words, Mechanism, S> streamed;

  void multiply(const product<T, Words>& p, index_t rows, interval keys) const {
    if (packed.panels != nullptr)
      packed.multiply(p, rows, keys);
    else
      streamed.multiply(p, rows, keys);
  }
};

LONGSPAN_NAMESPACE_END
