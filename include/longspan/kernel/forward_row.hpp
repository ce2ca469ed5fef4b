#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/mechanism/composed.hpp>
#include <longspan/simd/abreast.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/keep.hpp>
#include <longspan/simd/lanes.hpp>
#include <longspan/simd/quiet.hpp>
#include <longspan/softmax/online_softmax.hpp>
#include <longspan/tile/by_key.hpp>
#include <longspan/tile/shape.hpp>
#include <longspan/transform/keys.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

LONGSPAN_QUIET_BEGIN

// One query row of the forward pass: what it was told, what it sees of the keys at hand, the function of its logits and its softmax so
// far.
template <class Words, class Mechanism>
struct forward_row {
  using T = typename Words::compute;
  using Batch = batch<T>;
  using Logits = decltype(std::declval<const Mechanism&>().transforms.of_products(query_row{}));
  using Weights = decltype(std::declval<const Mechanism&>().of_weights(query_row{}));
  using Seen = decltype(std::declval<const Mechanism&>().seen->keys_of(0, 0));
  static constexpr index_t lanes = simd::lanes<Batch>, word_keys = Words::per_word * lanes;
  // bfloat16 words round what they hold: there the factor of the logits multiplies the sums of the products instead of the query.
  static constexpr bool factor_in_query = Words::per_word == 1;

  query_row told;
  index_t query;  // its number in the text
  Seen seen;
  interval hull;      // holds what it sees
  bool stretch;       // it sees all of the hull
  index_t first_key;  // the position of the first key at hand
  Logits logits;
  Weights weights;
  online_softmax<T> softmax;
  bool attended = false;  // to any key

  forward_row(const Mechanism& mechanism, index_t h, index_t i)
      : told(mechanism.row(h, i)),
        query(i),
        seen(mechanism.seen->keys_of(h, i)),
        hull(seen.hull()),
        stretch(detail::covers(seen, hull)),
        first_key(mechanism.lengths.first_key),
        logits(mechanism.transforms.of_products(told)),
        weights(mechanism.of_weights(told)),
        softmax(mechanism.sink_logit(h, i)) {}

  // Turns the scores of some keys of one panel, whole batches, into logits, those of hidden keys into -infinity; returns the largest.
  // Keys count from key `tile`; bit b of `bits` says whether the row sees keys.first + b. Works on copies of the members: a store through
  // `score` might change any of them as far as the compiler knows, and each would be loaded again for every batch.
  Batch to_logits(interval keys, index_t tile, std::uint64_t bits, T* score) const {
    Batch maximum(-std::numeric_limits<T>::infinity());
    const auto logit = [=, row = logits, position = told.position, origin = first_key + tile + keys.first](index_t j)
                           LONGSPAN_INLINE {
                             Batch z = simd::load<Batch>(score + j);
                             if constexpr (!factor_in_query) z = z * Batch(T(row.factor.value));
                             return row.function(z, keys_under<Batch>{origin + j, position, simd::lane_numbers<Batch>()});
                           };
    if (bits == ~std::uint64_t(0)) {  // then the keys are the whole panel
      for (index_t j = 0; j < panel_keys; j += lanes) {
        const Batch z = logit(j);
        if constexpr (!untransformed) simd::store(score + j, z);
        maximum = simd::max(maximum, z);
      }
    } else {
      for (index_t j = 0; j < keys.size(); j += lanes) {
        const Batch z = simd::keep(bits >> j, logit(j), Batch(-std::numeric_limits<T>::infinity()));
        simd::store(score + j, z);
        maximum = simd::max(maximum, z);
      }
    }
    return maximum;
  }

  // Turns the logits of a stretch of keys into words of weights, in place, and adds them to a sum, as they are before anything is done to
  // weights. Keys and logits, those of hidden keys -infinity, count from the first of the tile, key `tile`.
  Batch to_weights(interval keys, index_t tile, T* at, const softmax_part<T>& part, Batch sum) const {
    const softmax_part<T> kept = part;
    const auto changed =
        [=, change = weights, position = told.position, origin = first_key + tile](const Batch& weight, index_t j)
            LONGSPAN_INLINE { return change(weight, keys_under<Batch>{origin + j, position, simd::lane_numbers<Batch>()}); };
    index_t j = round_down(keys.first, word_keys);
    for (constexpr index_t several = shape::abreast / Words::per_word; j + several * word_keys <= keys.last;
         j += several * word_keys)
      sum = to_words<several>(at, j, kept, sum, changed);
    for (; j < keys.last; j += word_keys) sum = to_words<1>(at, j, kept, sum, changed);
    return sum;
  }

 private:
  using shape = tile_shape<T>;

  // The weights of as many batches as make `Count` batches of words.
  template <index_t Count, class Changed>
  static Batch to_words(T* at, index_t j, const softmax_part<T>& part, Batch sum, const Changed& changed) {
    constexpr std::size_t per_word = std::size_t(Words::per_word);
    using batches = simd::abreast<Batch, std::size_t(Count) * per_word>;
    const batches each = part.weights(
        batches::of_numbers([=](auto number) LONGSPAN_INLINE { return simd::load<Batch>(at + j + index_t(number) * lanes); }));
#pragma GCC unroll 8
    for (std::size_t w = 0; w < std::size_t(Count); ++w) {
      std::array<Batch, per_word> word;
      for (std::size_t i = 0; i < per_word; ++i) {
        const std::size_t number = w * per_word + i;
        sum = sum + each.batches[number];
        word[i] = changed(each.batches[number], j + index_t(number) * lanes);
      }
      simd::store(at + j / Words::per_word + index_t(w) * lanes, Words::join(word));
    }
    return sum;
  }

  static constexpr bool untransformed = factor_in_query && std::is_same_v<decltype(Logits::function), composed<>>;
};

LONGSPAN_QUIET_END

}  // namespace detail
LONGSPAN_NAMESPACE_END
