#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include <longspan/any/sentence.hpp>
#include <longspan/tensor/traits.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A mechanism that is chosen at run time: any sentence, for tensors of one storage type. make_any (make_any.hpp) makes one, in one unit of
// a program; every other unit includes any_mechanism.hpp alone, which holds nothing of the kernel, and compiles in 2 s. It stands where a
// sentence stands in forward, backward, backward_with_parameters and what writes into memory of the caller's, over tensors, a cache or an
// engine's own pages, in prepare_keys and in for_each_learned, with the same bits and errors, for q, k, v and results of S; log-sum-exp is
// double for double and float otherwise. Copies share the sentence, and may be used by several threads; one whose learned numbers are
// visited to be written has a sentence of its own from then on.
//
//   longspan::any_mechanism<float> mechanism_of(const configuration& c);     // defined in the unit that includes make_any.hpp
//   const auto mechanism = mechanism_of(c);
//   const auto output = longspan::forward(mechanism, q, k, v).output;
template <class S>
class any_mechanism {
 public:
  explicit any_mechanism(std::shared_ptr<const detail::any_sentence<S>> of) : sentence_(std::move(of)) {}

  const detail::any_sentence<S>& inside() const { return *sentence_; }  // internal
  detail::any_sentence<S>& inside_to_write() {                          // internal
    auto own = sentence_->clone();
    auto& written = *own;
    sentence_ = std::move(own);
    return written;
  }

 private:
  std::shared_ptr<const detail::any_sentence<S>> sentence_;
};

namespace detail {

template <class S, class... Tensors>
constexpr bool hold_its_numbers() {
  static_assert((std::is_same_v<S, element_of<Tensors>> && ...),
                "an any_mechanism is made for one storage type: any_mechanism<float> takes tensors of float; other numbers, and "
                "several kinds in one call, take a sentence");
  return true;
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
