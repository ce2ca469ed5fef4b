#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include <longspan/core/index.hpp>
#include <longspan/parameter/learned.hpp>
#include <longspan/simd/dual.hpp>
#include <longspan/simd/lanes.hpp>
#include <longspan/transform/keys.hpp>
#include <longspan/transform/temperature.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Calls one function of a row's logits, and converts what it returns to the type of the logit, so that a body may mix in constants of
// another precision. Where the logit is a dual number and the function offers `slope`, the derivative by the logit comes from there and
// the body runs on plain batches: half the arithmetic. Not where the keys are dual too: then the derivative by a learned number is
// asked for, which `slope` does not know.
template <class Value, class Function, class Keys>
Value apply_to(const Value& logit, const Function& function, const Keys& keys) {
  if constexpr (is_dual<Value> && !is_dual<decltype(keys.lane)> && requires { function.slope(logit.value, keys); }) {
    using V = decltype(logit.value);
    return {detail::as_logit<V>(function(logit.value, keys)),
            logit.slope * detail::as_logit<V>(function.slope(logit.value, keys))};
  } else {
    return detail::as_logit<Value>(function(logit, keys));
  }
}

// A function that wants the gradient of the logits it returned, to add it to memory: take(logit, d_logit, keys, sums) is called in a
// backward pass for every batch of keys of which some row beside it sees one, after the body, with the logit that it was given. Lanes of
// hidden keys hold a d_logit of 0. The rows of one tile of keys come one after the other; so do the tiles of one row; and heads that share
// a query and a key, in their order (kernel/backward_wave.hpp). `sums` is memory of the tile and the head, as many numbers as the
// function's `tile_sums` says, 0 where a tile begins; what they hold where it ends is added up for its transform
// (mechanism/bound_transforms.hpp).
template <class Function>
concept takes_gradient =
    requires(const Function& function, const keys_under<double>& keys, double* sums) { function.take(0.0, 0.0, keys, sums); };

// Functions of a row's logits, applied one after the other.
template <class... Functions>
struct composed {
  std::tuple<Functions...> each;

  explicit composed(std::tuple<Functions...> functions) : each(std::move(functions)) {}

  template <class Value, class Keys>
  Value operator()(Value logit, const Keys& keys) const {
    return from<0>(logit, keys);
  }

  static constexpr bool takes = (takes_gradient<Functions> || ...);

  // Whether heads that share a query and a key add to the same numbers, so that their order matters. A function that takes gradients may
  // say that it is not so: `heads_add_up`.
  bool heads_add_up() const {
    const auto one = []<class F>(const F& function) {
      if constexpr (!takes_gradient<F>)
        return false;
      else if constexpr (requires { function.heads_add_up; })
        return bool(function.heads_add_up);
      else
        return true;
    };
    return std::apply([&](const auto&... function) { return (one(function) || ...); }, each);
  }

  // Hands on the gradient of what operator() makes of a logit.
  template <std::size_t N = 0, class Value, class Keys, class T>
  void take(const Value& logit, const Value& d_logit, const Keys& keys, T* sums) const {
    if constexpr (N < sizeof...(Functions)) {
      const auto& function = std::get<N>(each);
      const Value next = detail::apply_to(logit, function, keys);
      if constexpr (takes_gradient<std::tuple_element_t<N, std::tuple<Functions...>>>)
        function.take(logit, before<N + 1>(next, d_logit, keys), keys, sums);
      if constexpr (requires { function.tile_sums; })
        take<N + 1>(next, d_logit, keys, sums + function.tile_sums);
      else
        take<N + 1>(next, d_logit, keys, sums);
    }
  }

 private:
  // What the functions from the N-th on make of a logit.
  template <std::size_t N, class Value, class Keys>
  Value from(const Value& logit, const Keys& keys) const {
    if constexpr (N == sizeof...(Functions))
      return logit;
    else
      return from<N + 1>(detail::apply_to(logit, std::get<N>(each), keys), keys);
  }
  // The gradient of a logit from that of what they make of it. Where it is 0, as that of a weight of 0 is, the slope may be infinite.
  template <std::size_t N, class Value, class Keys>
  Value before(const Value& logit, const Value& d_logit, const Keys& keys) const {
    if constexpr (N == sizeof...(Functions))
      return d_logit;
    else
      return simd::select(d_logit == Value(0), d_logit, d_logit * from<N>(dual<Value>(logit, Value(1)), keys).slope);
  }
};

// logit = function(factor * dot product). The factor is the score's scale times the temperatures that come before every other
// transform: the kernel multiplies the query by it once instead of every logit.
template <class Function>
struct tempered_function {
  learned factor;
  Function function;
};

template <class... Functions>
auto tempered(const learned& factor, const Functions&... functions) {
  return tempered_function<composed<Functions...>>{factor, composed(std::tuple{functions...})};
}
template <class... Functions>
auto tempered(const learned& factor, const row_factor& first, const Functions&... functions) {
  return detail::tempered(factor * first.factor, functions...);
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
