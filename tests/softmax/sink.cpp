#include <longspan/softmax/sink.hpp>

#include <gtest/gtest.h>

#include <cmath>

#include "support/words.hpp"

namespace {

using namespace longspan;
using testing_support::words_of;

TEST(sink, is_softmax_off_by_one_unless_told) {
  EXPECT_EQ(sink{}.logit[0], 0);
  EXPECT_EQ(sink{}.logit[31], 0);
  EXPECT_EQ(sink{0.5f}.logit[3], 0.5);
  EXPECT_EQ((sink{{0.5, -1}}.logit[1]), -1);
}

TEST(sink, names_what_it_refuses) {
  const auto words = [](const sink& part) { return words_of([&] { part.check({.heads = 2}); }); };
  EXPECT_EQ(words({}), "");
  EXPECT_EQ(words({{1, 2}}), "");
  EXPECT_EQ(words({{1, 2, 3}}), "sink: logit must be one number or one for each head: 3 numbers and 2 heads");
  EXPECT_EQ(words({-HUGE_VAL}), "sink: logit must be finite, not -inf");
}

}  // namespace
