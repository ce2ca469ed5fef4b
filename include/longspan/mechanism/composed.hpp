#pragma once

#include <tuple>
#include <utility>

#include <longspan/core/index.hpp>
#include <longspan/parameter/learned.hpp>
#include <longspan/simd/dual.hpp>
#include <longspan/transform/temperature.hpp>

LONGSPAN_NAMESPACE_BEGIN

// What a function makes of a logit, taken back to the kind of number that came in, so that a body may mix in constants of another
// precision. A function that knows its derivative by the logit is asked for it instead of run on dual numbers, which are left to the
// derivatives by its parameters: those have dual keys too.
template <class Value, class Function, class Keys>
Value apply_to(const Value& logit, const Function& function, const Keys& keys) {
  if constexpr (is_dual<Value> && !is_dual<decltype(keys.lane)> && requires { function.slope(logit.value, keys); }) {
    using V = decltype(logit.value);
    return {as_logit<V>(function(logit.value, keys)), logit.slope * as_logit<V>(function.slope(logit.value, keys))};
  } else {
    return as_logit<Value>(function(logit, keys));
  }
}

// Functions of logits one after the other.
template <class... Functions>
struct composed {
  std::tuple<Functions...> each;

  explicit composed(std::tuple<Functions...> functions) : each(std::move(functions)) {}

  template <class Value, class Keys>
  Value operator()(Value logit, const Keys& keys) const {
    std::apply([&](const auto&... function) { ((logit = apply_to(logit, function, keys)), ...); }, each);
    return logit;
  }
};

// function(factor * score), the factor being that of the temperatures at the head of some functions.
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
  return tempered(factor * first.factor, functions...);
}

LONGSPAN_NAMESPACE_END
