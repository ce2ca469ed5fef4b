#include <longspan/transform/key_numbers.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include <longspan/longspan.hpp>

#include "support/lanes.hpp"
#include "support/tensors.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using namespace testing_support;

template <class Batch>
class key_numbers_in : public testing::Test {};
using batches = testing::Types<batch<float>, batch<double>, float, double>;
TYPED_TEST_SUITE(key_numbers_in, batches);

// For every place of a batch among 40 keys, and beyond both ends: memory there holds NaN.
template <class Batch, class S>
void expect_numbers(index_t stride) {
  const interval keys{5, 45};
  const index_t beyond = 70;
  std::vector<S> memory(std::size_t(2 * beyond + 40 * 3), S(std::nan("")));
  const S* const data = memory.data() + beyond;
  for (index_t j = 0; j < 40; ++j) memory[std::size_t(beyond + j * stride)] = S(double(j) / 4 - 3);
  for (index_t first = keys.first - 2 * simd::lanes<Batch>; first <= keys.last + simd::lanes<Batch>; ++first) {
    const keys_under<Batch> under{first, 0, simd::lane_numbers<Batch>()};
    const auto got = lanes_of(under.read(key_numbers{data, stride, keys}));
    const auto dual_too =
        keys_under<dual<Batch>>{first, 0, dual<Batch>(simd::lane_numbers<Batch>())}.read(key_numbers{data, stride, keys});
    EXPECT_EQ(lanes_of(dual_too.value), got);
    for (index_t l = 0; l < simd::lanes<Batch>; ++l) {
      const index_t j = first + l - keys.first;
      const double wanted = stride == 0 ? 39. / 4 - 3 : 0 <= j && j < 40 ? double(j) / 4 - 3 : 0;
      EXPECT_EQ(got[std::size_t(l)], wanted) << "from " << first << ", lane " << l << ", stride " << stride;
      EXPECT_EQ(lanes_of(dual_too.slope)[std::size_t(l)], 0);
    }
  }
}

TYPED_TEST(key_numbers_in, are_those_of_the_keys_and_0_beyond) {
  for (const index_t stride : {0, 1, 3}) {
    expect_numbers<TypeParam, float>(stride);
    expect_numbers<TypeParam, double>(stride);
    expect_numbers<TypeParam, Eigen::half>(stride);
    expect_numbers<TypeParam, Eigen::bfloat16>(stride);
  }
}

// A bias of one's own, as transform/concept.hpp has it: how much each key counts, for each head.
struct importance {
  const float* of_keys;  // (head, key)
  auto operator()(const query_row& row) const {
    return [of_row = key_numbers{of_keys + row.head * row.keys, 1, {0, row.keys}}](auto logit, const auto& keys) {
      return logit + keys.read(of_row);
    };
  }
};

TEST(key_numbers, make_a_bias_of_ones_own) {
  const index_t tokens = 299;
  const auto in = random_inputs<float>({.heads = 2, .key_heads = 1, .queries = 50, .keys = tokens});
  const auto numbers = normal<float>(1, 2, 1, tokens, 9);
  const auto own = dot_product{} | importance{numbers.data()} | causal{};
  const auto built_in = dot_product{} | bias{numbers} | causal{};
  const auto got = forward(own, in.q, in.k, in.v);
  EXPECT_LT(worst_difference(got.output, reference::attention(own, in.q, in.k, in.v).output), 2e-6);
  EXPECT_TRUE(same_bits(got.output, forward(built_in, in.q, in.k, in.v).output));
  const auto d = normal<float>(1, 2, 50, 8, 3);
  EXPECT_TRUE(same_bits(backward(own, in.q, in.k, in.v, got, d).d_key, backward(built_in, in.q, in.k, in.v, got, d).d_key));
}

}  // namespace
