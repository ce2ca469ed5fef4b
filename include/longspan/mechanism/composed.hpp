#pragma once

#include <tuple>
#include <utility>

#include <longspan/core/index.hpp>
#include <longspan/parameter/learned.hpp>
#include <longspan/simd/dual.hpp>
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

// Functions of a row's logits, applied one after the other.
template <class... Functions>
struct composed {
  std::tuple<Functions...> each;

  explicit composed(std::tuple<Functions...> functions) : each(std::move(functions)) {}

  template <class Value, class Keys>
  Value operator()(Value logit, const Keys& keys) const {
    std::apply([&](const auto&... function) { ((logit = detail::apply_to(logit, function, keys)), ...); }, each);
    return logit;
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
