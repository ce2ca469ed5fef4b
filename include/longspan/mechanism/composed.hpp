#pragma once

#include <tuple>
#include <utility>

#include <longspan/core/index.hpp>
#include <longspan/transform/temperature.hpp>

namespace longspan::inline LONGSPAN_ISA {

// Functions of logits one after the other. Each answer is taken back to the kind of number that came in, so that a body may mix in
// constants of another precision.
template <class... Functions>
struct composed {
  std::tuple<Functions...> each;

  explicit composed(std::tuple<Functions...> functions) : each(std::move(functions)) {}

  template <class Value, class Keys>
  Value operator()(Value logit, const Keys& keys) const {
    std::apply([&](const auto&... function) { ((logit = static_cast<Value>(function(logit, keys))), ...); }, each);
    return logit;
  }
};

// function(factor * score), the factor being that of the temperatures at the head of some functions.
template <class Function>
struct tempered_function {
  double factor;
  Function function;
};

template <class... Functions>
auto tempered(double factor, const Functions&... functions) {
  return tempered_function<composed<Functions...>>{factor, composed(std::tuple{functions...})};
}
template <class... Functions>
auto tempered(double factor, const row_factor& first, const Functions&... functions) {
  return tempered(factor * first.factor, functions...);
}

}  // namespace longspan::inline LONGSPAN_ISA
