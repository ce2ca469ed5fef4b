#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <numbers>
#include <span>
#include <type_traits>
#include <utility>

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/kernel/prepare_row.hpp>
#include <longspan/kernel/unprepare_row.hpp>
#include <longspan/mechanism/composed.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/dual.hpp>
#include <longspan/simd/exp2.hpp>
#include <longspan/simd/keep.hpp>
#include <longspan/simd/lanes.hpp>
#include <longspan/simd/quiet.hpp>
#include <longspan/simd/row.hpp>
#include <longspan/simd/words.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/transform/keys.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

LONGSPAN_QUIET_BEGIN

// The learned numbers that the backward pass differentiates by: `lists` of row parts, a number for each channel, which their transposes
// know; and the transforms once for each of theirs, with the slope of that number set to 1 (its seed). The first `folded` of these belong
// to temperatures that are folded into the query.
template <class Transforms, std::size_t Lists, std::size_t Count, std::size_t Folded>
struct seeds {
  static constexpr std::size_t lists = Lists, count = Count, folded = Folded;
  using row_function = decltype(std::declval<const Transforms&>().of_products(query_row{}));
  std::array<Transforms, Count> each;
};

// One query row of the backward pass: what it was told, what it sees of the keys at hand, the function of its logits, and what the forward
// pass kept of its softmax.
template <class T, class Mechanism, class Seeds>
struct backward_row {
  using Batch = batch<T>;
  using Logits = decltype(std::declval<const Mechanism&>().transforms.of_products(query_row{}));
  using Weights = decltype(std::declval<const Mechanism&>().of_weights(query_row{}));
  using Seen = decltype(std::declval<const Mechanism&>().seen->keys_of(0, 0));
  static constexpr index_t lanes = simd::lanes<Batch>;
  static constexpr std::size_t folded = Seeds::folded;
  // Whether a transform takes the gradient of its logits.
  static constexpr bool takes = decltype(Logits::function)::takes;

  query_row told;
  index_t query;  // its number in the text
  Seen seen;
  index_t first_key;  // the position of the first key at hand
  Logits logits;
  Weights weights;
  std::array<typename Seeds::row_function, Seeds::count> seeded;  // of the parts themselves: they take no gradients
  T log_sum_exp = 0;
  T mean = 0;             // of the gradients of the weights, under the weights, less that of log_sum_exp
  bool attended = false;  // to any key
  std::array<double, Seeds::count> d_parameters{};

  backward_row(const Mechanism& mechanism, const Seeds& learned_numbers, index_t h, index_t i)
      : told(mechanism.row(h, i)),
        query(i),
        seen(mechanism.seen->keys_of(h, i)),
        first_key(mechanism.lengths.first_key),
        logits(mechanism.transforms.of_products(told)),
        weights(mechanism.of_weights(told)),
        seeded([&]<std::size_t... P>(std::index_sequence<P...>) {
          return std::array<typename Seeds::row_function, Seeds::count>{learned_numbers.each[P].of_products(told)...};
        }(std::make_index_sequence<Seeds::count>{})) {}

  // Turns the scores of some keys, whole batches, into weights, and the gradients of the weights into those of the scores, in place. Both
  // become 0 where the row does not see the key; bit b of `bits` says whether it sees keys.first + b. `sums`: see takes_gradient.
  void differentiate(interval keys, std::uint64_t bits, T* score, T* d_weight, T* sums) {
    attended = attended || bits != 0;
    if (const std::uint64_t all = keys.bits(keys.first); (bits & all) == all)
      differentiate(keys, score, d_weight, sums, [](index_t, const Batch& value) LONGSPAN_INLINE { return value; });
    else
      differentiate(keys, score, d_weight, sums,
                    [=](index_t j, const Batch& value) LONGSPAN_INLINE { return simd::keep(bits >> j, value, Batch(T(0))); });
  }

 private:
  // Where all logits are -infinity, so that the log-sum-exp is too, every weight is 0.
  T subtrahend() const { return log_sum_exp == -std::numeric_limits<T>::infinity() ? -log_sum_exp : log_sum_exp; }

  // The gradient of what a logit was made of. A weight of exactly 0 has none, even where the slope is infinite or NaN as that of log f is
  // at f = 0.
  static Batch sloped(const Batch& weight, const Batch& d_logit, const Batch& slope) {
    if constexpr (std::is_same_v<decltype(Logits::function), composed<>>)
      return d_logit * slope;
    else
      return simd::select(weight == Batch(T(0)), d_logit, d_logit * slope);
  }

  // Works on copies of the members, as the forward pass does: see forward_row.
  template <class Keep>
  void differentiate(interval keys, T* score, T* d_weight, T* sums, Keep keep) {
    std::array<Batch, Seeds::count> by_number;
    by_number.fill(Batch(T(0)));
    const auto by = seeded;
    Batch* const sum = by_number.data();
    const auto one = [=, function = logits.function, changed = weights, position = told.position, origin = first_key + keys.first,
                      subtrahend = subtrahend(), mean = mean](index_t j) LONGSPAN_INLINE {
      const Batch s = simd::load<Batch>(score + j), lane = simd::lane_numbers<Batch>();
      const keys_under<Batch> under{origin + j, position, lane};
      const dual<Batch> z = function(dual<Batch>(s, Batch(T(1))), under);
      const Batch weight = simd::exp2(z.value - Batch(subtrahend), std::numbers::log2e_v<T>);
      const Batch d_logit = weight * (changed(simd::load<Batch>(d_weight + j), under) - Batch(mean));
      if constexpr (Seeds::folded < Seeds::count)
        for (std::size_t p = Seeds::folded; p < Seeds::count; ++p) {
          const auto of_seed = by[p].function(dual<Batch>(s), keys_under<dual<Batch>>{origin + j, position, dual<Batch>(lane)});
          sum[p] = sum[p] + keep(j, sloped(weight, d_logit, of_seed.slope));
        }
      if constexpr (takes) function.take(s, keep(j, d_logit), under, sums);
      simd::store(score + j, keep(j, changed(weight, under)));
      simd::store(d_weight + j, keep(j, sloped(weight, d_logit, z.slope)));
    };
    for (index_t j = 0; j < keys.size(); j += lanes) one(j);
    for (std::size_t p = Seeds::folded; p < Seeds::count; ++p) d_parameters[p] += double(simd::reduce_add(by_number[p]));
  }
};

// Prepares the row's query and the gradient of its output, padded with zeros to whole batches.
template <class Row, class Mechanism, class Tensors, class T>
void prepare_backward_row(Row& row, const Mechanism& mechanism, const Tensors& tensors, T* query, T* d_output) {
  const index_t h = row.told.head, i = row.query;
  prepare_row<number_words<T>>(tensors.query.head(0, h), i, query, [&](std::span<T> channels) {
    mechanism.query(channels, mechanism.query_token(row.told));
    detail::round_row<typename Tensors::words>(channels);
    simd::scale(channels, T(row.logits.factor.value));
  });
  prepare_row<number_words<T>>(tensors.d_output.head(0, h), i, d_output, [](std::span<T>) {});
  const auto output = tensors.output.head(0, h);
  for (index_t c = 0; c < output.channels; ++c) row.mean += T(output.row(i)[c * output.channel_stride]) * d_output[c];
  if (tensors.with_log_sum_exp()) row.mean -= *tensors.d_log_sum_exp.head(0, h).row(i);
  row.log_sum_exp = *tensors.log_sum_exp.head(0, h).row(i);
  if (row.log_sum_exp == -std::numeric_limits<T>::infinity()) row.mean = 0;  // whatever a loss makes of -infinity
}

// Hands over the gradient of the row's query, made from that of the query that was multiplied; and the derivatives by temperatures that
// were folded into it: one dot product for all. `query` and `room` are worked in, `sums` takes what row parts learn.
template <class Row, class Mechanism, class Tensors, class T>
void finish_backward_row(Row& row, const Mechanism& mechanism, const Tensors& tensors, T* d_query, T* query, T* room,
                         std::span<double> sums) {
  const index_t h = row.told.head, i = row.query;
  const auto from = tensors.query.head(0, h);
  const auto to = tensors.d_query.head(0, h);
  const std::span<T> gradient(d_query, std::size_t(from.channels)), channels(query, gradient.size());
  if (row.attended) {
    if constexpr (Row::folded > 0) {
      copy_row(from.row(i), from.channel_stride, query, 1, from.channels);
      mechanism.query(channels, mechanism.query_token(row.told));
      detail::round_row<typename Tensors::words>(channels);
      const double by_factor = double(simd::dot<T>(channels, gradient));
      for (std::size_t p = 0; p < Row::folded; ++p) row.d_parameters[p] = row.seeded[p].factor.slope * by_factor;
    }
    simd::scale(gradient, T(row.logits.factor.value));
  }
  unprepare_row(from, i, gradient, to.row(i), to.channel_stride, room, [&](std::span<const T> unprepared, T* scratch) {
    mechanism.query_back(unprepared, gradient, mechanism.query_token(row.told), scratch, sums);
  });
}

LONGSPAN_QUIET_END

}  // namespace detail
LONGSPAN_NAMESPACE_END
