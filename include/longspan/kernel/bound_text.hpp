#pragma once

#include <utility>

#include <longspan/core/config.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A text as the kernel is given it: its mechanism and its part of the tensors, as those of a call of batch 1.
template <class Mechanism, class Tensors>
struct bound_text {
  using mechanism_type = Mechanism;
  using tensors_type = Tensors;
  Mechanism mechanism;
  Tensors tensors;
};

// Those of a call's texts, each with its mechanism, that `which(mechanism)` holds for; their mechanisms are moved.
template <class Mechanism, class Tensors, class Which>
buffer<bound_text<Mechanism, Tensors>> bound_texts(buffer<Mechanism>& each, const Tensors& tensors, Which which) {
  buffer<bound_text<Mechanism, Tensors>> texts;
  for (Mechanism& mechanism : each)
    if (which(mechanism)) {
      Tensors own = tensors.tokens_of(mechanism.of);
      texts.push_back({std::move(mechanism), std::move(own)});
    }
  return texts;
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
