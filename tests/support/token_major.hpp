#pragma once

#include <vector>

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"

namespace testing_support {

// A copy of a tensor, (batch, token, head, channel) in memory.
template <class S>
longspan::view<const S> token_major(const tensor<S>& t, std::vector<S>& memory) {
  const longspan::index_t batch = t.dimension(0), heads = t.dimension(1), tokens = t.dimension(2), channels = t.dimension(3);
  memory.resize(std::size_t(t.size()));
  const longspan::view<S> made{
      memory.data(), {batch, heads, tokens, channels}, {heads * tokens * channels, channels, heads * channels, 1}};
  longspan::detail::copy_tokens(longspan::detail::this_thread{}, longspan::detail::view_of(t), made);
  return made;
}

}  // namespace testing_support
