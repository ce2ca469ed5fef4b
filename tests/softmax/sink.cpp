#include <longspan/softmax/sink.hpp>

#include <gtest/gtest.h>

#include <cmath>

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace testing_support;

TEST(sink, is_softmax_off_by_one_unless_told) {
  EXPECT_EQ(sink{}.logit[0], 0);
  EXPECT_EQ(sink{}.logit[31], 0);
  EXPECT_EQ(sink{0.5f}.logit[3], 0.5);
  EXPECT_EQ((sink{{0.5, -1}}.logit[1]), -1);
}

// The first of three rows sees none of two keys, and has the sink's logit as its log_sum_exp, rounded to float: the gradient of the
// log_sum_exp is the sink's whole.
TEST(sink, has_the_gradient_of_a_row_that_sees_nothing) {
  const auto in = random_inputs<float>({.heads = 1, .key_heads = 1, .queries = 3, .keys = 2});
  for (const double logit : {0., -7., -1e9 - 7, -1e30}) {
    const auto mechanism = dot_product{} | causal{} | sink{logit};
    const auto kept = forward(mechanism, in.q, in.k, in.v);
    auto d_kept = kept;
    d_kept.output.setZero(), d_kept.log_sum_exp.setZero(), d_kept.log_sum_exp.data()[0] = 1;
    const auto made = backward_with_parameters(mechanism, in.q, in.k, in.v, kept, d_kept);
    EXPECT_EQ(get<sink>(made.d_mechanism).logit[0], 1) << logit;
  }
  const auto off = dot_product{} | causal{} | sink{-1e300};  // -infinity as a float: as without a sink
  const auto kept = forward(off, in.q, in.k, in.v);
  EXPECT_EQ(get<sink>(backward_with_parameters(off, in.q, in.k, in.v, kept, kept.output).d_mechanism).logit[0], 0);
}

TEST(sink, names_what_it_refuses) {
  const auto words = [](const sink& part) { return words_of([&] { part.check({.heads = 2}); }); };
  EXPECT_EQ(words({}), "");
  EXPECT_EQ(words({{1, 2}}), "");
  EXPECT_EQ(words({{1, 2, 3}}), "sink: logit must be one number or one for each head: 3 numbers and 2 heads");
  EXPECT_EQ(words({-HUGE_VAL}), "sink: logit must be finite, not -inf");
}

}  // namespace
