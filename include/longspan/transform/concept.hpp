#pragma once

#include <concepts>
#include <type_traits>

#include <longspan/core/query_row.hpp>
#include <longspan/parameter/learned.hpp>
#include <longspan/simd/dual.hpp>
#include <longspan/transform/chosen_by_lane.hpp>
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
// `logit` is a SIMD batch in the kernel, a double in the reference and a dual number in the backward pass. Write one body for all: call
// functions unqualified (tanh, exp, log, sqrt ...) and include <cmath>, and for max and min, which are those of <algorithm> for a double,
// write `using std::max, std::min;`; instead of a branch write `using longspan::select;` and select(logit > 0, logit, 0), which computes
// both sides: an `if`, a `?:` or a std::max by a logit or a place does not compile. `keys.position()` and `keys.distance()` are the places
// of the keys of the batch, in the same type of number. Some lanes may belong to hidden keys and hold any value, NaN too. Their results are
// discarded, but must not be used as an index into memory. Capture by value: the query row is gone when the body runs.
//
// Numbers that are data, one for each key, are read where they lie by `keys.read(numbers)`, where numbers is a key_numbers: in the same
// type of number as `keys.position()`, 0 for positions that it does not hold. A bias of one's own:
//
//   struct importance {
//     const float* of_keys;  // (head, key), for the keys of the longest text
//     index_t apart;         // from one head to the next
//     auto operator()(const query_row& row) const {
//       return [of_row = key_numbers{of_keys + row.head * apart, 1, {0, row.keys}}](auto logit, const auto& keys) {
//         return logit + keys.read(of_row);
//       };
//     }
//   };
//
// A logit of -infinity is a weight of exactly 0, and has a gradient of exactly 0 whatever the slope there: with log f(s) the softmax weighs
// by any f >= 0. A row that has no other logits has output 0.
//
// If the row function is a longspan::row_factor, as for all temperatures, and stands before all other transforms, its factor is
// multiplied into the query and costs nothing per logit.
//
// A learned number is a field `learned power;`, set like a double (`power.value`); one for each head is a `per_head`, read with
// [row.head]. The part names them: `auto parameters() { return std::tie(power); }`. backward_with_parameters then differentiates
// by them with the same body. Write `return logit - x` or `const auto z = logit - x` in it and do not assign to `logit`: the result
// may be of another type. A part with a per_head that has `auto parameters() const` too is not copied when its lists are checked. A row
// function that is an object may offer the derivative by the logit, `slope(logit, keys)`: its body then runs on dual numbers only
// for the sake of learned numbers.
//
// Optional members: `void check(const shapes&) const` throws std::invalid_argument for a parameter out of range, before anything
// is written; `static constexpr stage order` says where in a mechanism the transform belongs (without it: anywhere between score
// and mask); `prepare<T>(const reach&)` makes, once per call, what the kernel runs instead of the transform (by_distance uses
// it). Where what it makes takes more distances by `fill(transform, interval)` and transforms compare by ==, a cache keeps it from call to
// call (scale_invariant).
//
// skip_negligible asks every transform what the kernel makes of a row at most, by `at_most(row)`: a function of a score and of an interval
// of keys, by place, that returns a number which no logit exceeds that the body makes, under one of these keys, of a score up to that one;
// infinity where it knows none. Where there is `prepare`, what it makes is asked; `prepare_bound()`, if a transform has it, makes once per
// call what is asked instead. A transform whose row function is a row_factor is not asked. For the soft_clip above:
//
//   auto at_most(const query_row&) const {
//     return [limit = limit](double score, interval) { return limit * std::tanh(score / limit); };
//   }
template <class F>
concept transform =
    std::copy_constructible<F> && requires(const F& f, const query_row& row, const detail::keys_under<double>& keys) {
      { f(row)(0.0, keys) } -> detail::logit_like<double>;
    } && detail::chosen_by_lane<F>;

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
