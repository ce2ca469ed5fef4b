#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>
#include <utility>

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/kernel/keep_seen.hpp>
#include <longspan/mechanism/composed.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/lanes.hpp>
#include <longspan/simd/quiet.hpp>
#include <longspan/softmax/online_softmax.hpp>
#include <longspan/tile/shape.hpp>
#include <longspan/transform/keys.hpp>

LONGSPAN_NAMESPACE_BEGIN

LONGSPAN_QUIET_BEGIN

// One query row of a tile: what it was told, what it sees of the keys of the call, the function of its logits and its softmax so far.
template <class Words, class Mechanism>
struct tile_row {
  using T = typename Words::compute;
  using Batch = batch<T>;
  using Logits = decltype(std::declval<const Mechanism&>().logits(query_row{}));
  using Seen = decltype(std::declval<const Mechanism&>().visible(query_row{}));
  static constexpr index_t lanes = simd::lanes<Batch>, word_keys = Words::per_word * lanes;
  // Words that round what they hold leave the factor of the logits to the sums of the products.
  static constexpr bool factor_in_query = Words::per_word == 1;

  query_row told;
  Seen seen;  // counted from the first key of the call
  index_t first_key;
  Logits logits;
  online_softmax<T> softmax;

  tile_row(const Mechanism& mechanism, index_t b, index_t h, index_t i)
      : told(mechanism.row(b, h, i)),
        seen(intersect(mechanism.visible(told), mechanism.call.key_positions())),
        first_key(mechanism.call.first_key),
        logits(mechanism.logits(told)),
        softmax(mechanism.sink_logit(h)) {
    for (interval& run : seen) run = {run.first - first_key, run.last - first_key};
  }

  // What the row sees of some keys.
  Seen within(interval keys) const { return intersect(seen, keys); }

  // The scores of some keys, whole batches, to logits, those of hidden keys to -infinity; answers the largest. `at` is where the score
  // of key 0 would be. Works on copies of what the row holds: a store through a pointer may change any member, and each would be read
  // again for every batch.
  Batch to_logits(interval keys, T* at) const {
    const Seen runs = within(keys);
    Batch maximum(-std::numeric_limits<T>::infinity());
    const auto logit = [=, row = logits, position = told.position, origin = first_key](index_t j) LONGSPAN_INLINE {
      Batch score = simd::load<Batch>(at + j);
      if constexpr (!factor_in_query) score = score * Batch(T(row.factor.value));
      return row.function(score, keys_under<Batch>{origin + j, position, simd::lane_numbers<Batch>()});
    };
    if (std::ranges::any_of(runs, [=](const interval& run) { return run == keys; })) {
      for (index_t j = keys.first; j < keys.last; j += lanes) {
        const Batch z = logit(j);
        if constexpr (!untransformed) simd::store(at + j, z);
        maximum = simd::max(maximum, z);
      }
    } else {
      for (index_t j = keys.first; j < keys.last; j += lanes) {
        const Batch z = keep_seen(runs, j, logit(j), Batch(-std::numeric_limits<T>::infinity()));
        simd::store(at + j, z);
        maximum = simd::max(maximum, z);
      }
    }
    return maximum;
  }

  // The logits to words of weights; answers their sum. Words replace numbers from `to` on, where the word of key 0 would be.
  Batch to_weights(const Seen& runs, const T* at, T* to, const softmax_part<T>& part) const {
    const softmax_part<T> kept = part;
    Batch sum(T(0));
    index_t next = std::numeric_limits<index_t>::min();
    for (const interval& run : runs)
      for (next = std::max(next, round_down(run.first, word_keys)); next < run.last; next += word_keys) {
        std::array<Batch, std::size_t(Words::per_word)> weights;
        for (index_t w = 0; w < Words::per_word; ++w) {
          weights[std::size_t(w)] = kept.weights(simd::load<Batch>(at + next + w * lanes));
          sum = sum + weights[std::size_t(w)];
        }
        simd::store(to + next / Words::per_word, Words::join(weights));
      }
    return sum;
  }

 private:
  static constexpr bool untransformed = factor_in_query && std::is_same_v<decltype(Logits::function), composed<>>;
};

LONGSPAN_QUIET_END

LONGSPAN_NAMESPACE_END
