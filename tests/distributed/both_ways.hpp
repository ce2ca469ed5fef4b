#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include <mpi.h>

#include <longspan/distributed/ring.hpp>
#include <longspan/longspan.hpp>

#include "support/tensors.hpp"

namespace testing_support {

// Relative to the largest number, or to 1.
template <class A, class B>
double relative_difference(const A& a, const B& b) {
  double largest = 1;
  for (Eigen::Index i = 0; i < b.size(); ++i)
    if (std::isfinite(double(b.data()[i]))) largest = std::max(largest, std::abs(double(b.data()[i])));
  return worst_difference(a, b) / largest;
}

// Groups of two heads.
inline lengths grouped(longspan::index_t queries, longspan::index_t keys, longspan::index_t batch = 1) {
  return {.batch = batch, .heads = 4, .key_heads = 2, .queries = queries, .keys = keys, .channels = 16, .value_channels = 8};
}

// A rank's own of some keys that lie on the ranks one part behind the other: all but the last have three keys less than a part.
struct own_keys {
  longspan::index_t first, last;

  own_keys(longspan::index_t keys, longspan::index_t rank, longspan::index_t ranks)
      : first(rank * (keys / ranks - 3)), last(rank + 1 == ranks ? keys : (rank + 1) * (keys / ranks - 3)) {}

  // Of a tensor of batch 1, where they lie.
  longspan::view<const float> of(const tensor<float>& all) const {
    const longspan::index_t heads = all.dimension(1), tokens = all.dimension(2), channels = all.dimension(3);
    return {all.data() + first * channels, {1, heads, last - first, channels}, {0, tokens * channels, channels, 1}};
  }
};

// The gradient of the output, of a call's own seed.
template <class T>
tensor<T> d_output_of(const lengths& of) {
  return normal<T>(of.batch, of.heads, of.queries, of.value_channels, 9);
}

// What a ring makes of a call and what one call of all rows makes. `of_whole` and `of_own` are the same mechanism but for tensors of parts.
template <class T, class Ring, class Mechanism>
void expect_the_same(const Ring& over, const Mechanism& of_whole, const Mechanism& of_own, const lengths& of, double bound,
                     const longspan::placement& where = {}) {
  SCOPED_TRACE("rank " + std::to_string(over.rank()) + " of " + std::to_string(over.ranks()) + ", " + std::to_string(of.queries) +
               " queries, " + std::to_string(of.keys) + " keys");
  const inputs<T> in = random_inputs<T>(of);
  const tensor<T> d = d_output_of<T>(of);
  const auto whole = longspan::forward(of_whole, in.q, in.k, in.v, where);
  const auto d_whole = longspan::backward_with_parameters(of_whole, in.q, in.k, in.v, whole, d, where);

  const inputs<T> own{over.scatter(in.q), over.scatter(in.k), over.scatter(in.v)};
  const tensor<T> own_d = over.scatter(d);
  const auto part = longspan::forward(over, of_own, own.q, own.k, own.v, where);
  const auto wanted = over.scatter(whole);
  EXPECT_LE(relative_difference(part.output, wanted.output), bound);
  EXPECT_LE(relative_difference(part.log_sum_exp, wanted.log_sum_exp), bound);
  // From what one call kept, so that what is rounded to 16 bits is the same.
  const auto d_part = longspan::backward_with_parameters(over, of_own, own.q, own.k, own.v, wanted, own_d, where);
  EXPECT_LE(relative_difference(d_part.d_query, over.scatter(d_whole.d_query)), bound);
  EXPECT_LE(relative_difference(d_part.d_key, over.scatter(d_whole.d_key)), bound);
  EXPECT_LE(relative_difference(d_part.d_value, over.scatter(d_whole.d_value)), bound);
  longspan::for_each_learned(d_part.d_mechanism, d_whole.d_mechanism, [&](double mine, double theirs) {
    EXPECT_LE(std::abs(mine - theirs), 10 * bound * std::max(1.0, std::abs(theirs)));
  });
}
template <class T, class Ring, class Mechanism>
void expect_the_same(const Ring& over, const Mechanism& mechanism, const lengths& of, double bound,
                     const longspan::placement& where = {}) {
  expect_the_same<T>(over, mechanism, mechanism, of, bound, where);
}

}  // namespace testing_support
