#pragma once

#include <span>
#include <vector>

#include <longspan/core/shapes.hpp>

namespace testing_support {

// The score of a query and a key: the dot product of their rows as a score part prepares them.
template <class T, class Score>
T score_of(const Score& part, std::vector<T> query, std::vector<T> key) {
  part.query(std::span(query));
  part.key(std::span(key));
  T sum = 0;
  for (std::size_t c = 0; c < query.size(); ++c) sum += query[c] * key[c];
  if constexpr (requires { part.factor({}); }) sum *= T(part.factor({.channels = longspan::index_t(query.size())}));
  return sum;
}

}  // namespace testing_support
