#pragma once

#include <concepts>
#include <type_traits>

#include <longspan/core/query_row.hpp>
#include <longspan/parameter/learned.hpp>
#include <longspan/simd/dual.hpp>
#include <longspan/transform/keys.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A transform changes logits before the mask and the softmax. It maps a query row to a function of logits:
//
//   struct soft_clip {
//     float limit;
//     auto operator()(const query_row&) const {                                     // once per query row: may be slow
//       return [limit = limit](auto logit, const auto& keys) { return limit * tanh(logit / limit); };  // per batch: fast
//     }
//   };
//
// `logit` is a SIMD batch in the kernel, a double in the reference and a dual number in the backward pass: write one body, call
// functions unqualified (tanh, exp, log, sqrt ...) and include <cmath>; say `using longspan::select;` before a choice,
// select(logit > 0, logit, 0 * logit), since a batch takes both branches. `keys.position()` and `keys.distance()` tell where the keys
// under the batch stand, in the same kind of number. Some lanes may lie outside the mask and hold anything; what the body makes
// of them is thrown away, so it must not follow them into memory. Capture by value: rows outlive nothing.
//
// A row function that is a longspan::row_factor, as a temperature's is, costs nothing at the head of the transforms: it is folded into
// the query.
//
// A number that is learned is a field `learned power;`, set like a double (`power.value`), which the part names in `auto parameters()
// { return std::tie(power); }`; a number for each head is a `per_head`, read with [row.head]. Then backward_with_parameters differentiates
// by it, and the body needs nothing more (write `logit = logit - x`, not `logit -= x`: the kind of number may change). A row function
// that is an object may offer the derivative by the logit, `slope(logit, keys)`: then its body runs on dual numbers only in sentences
// that have learned numbers.
//
// Optional members: `void check(const shapes&) const` throws std::invalid_argument for a parameter out of range, before anything is
// written; `stage order` says where in the sentence a transform belongs (one that does not say goes anywhere between score and mask);
// `prepare<T>(const reach&)` returns what the kernel runs in its stead, once per call (by_distance).
template <class F>
concept transform =
    std::copy_constructible<F> && requires(const F& f, const query_row& row, const detail::keys_under<double>& keys) {
      { f(row)(0.0, keys) } -> detail::logit_like<double>;
    };

namespace detail {

// A transform whose body also runs on dual numbers: its gradient needs nothing more.
template <class F>
concept has_body_on_duals = requires(const F& f, const query_row& row, const keys_under<double>& keys, dual<double> x) {
  { f(row)(x, keys) } -> logit_like<dual<double>>;
};

// A transform whose row function offers its derivative by the logit.
template <class F>
concept has_slope = requires(const F& f, const query_row& row, const keys_under<double>& keys) {
  { f(row).slope(0.0, keys) } -> logit_like<double>;
};

}  // namespace detail

// A transform that the backward pass can differentiate by the logit.
template <class F>
concept differentiable = transform<F> && (detail::has_body_on_duals<F> || detail::has_slope<F>);

// Where a transform stands: temperatures and transforms of the distance, then softcap, then biases.
enum class stage { temperature, softcap, bias };

LONGSPAN_NAMESPACE_END
