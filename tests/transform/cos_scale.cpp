#include <longspan/transform/cos_scale.hpp>

#include <gtest/gtest.h>

#include "support/logits.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace testing_support;

TEST(cos_scale, takes_the_place_of_one_over_root_d) {
  for (const double scale : {1.0, 32.0, 128.0, 256.0})
    for (const double cosine : {-1.0, -0.2, 0.0, 0.999})
      EXPECT_EQ(logit(cos_scale{scale}, {.position = 7, .channels = 64}, 3, cosine), scale * cosine);
}

TEST(cos_scale, has_one_body) { expect_one_body(cos_scale{16}, {.position = 5}); }

TEST(cos_scale, names_what_it_refuses) {
  const auto words = [](double scale) { return words_of([&] { cos_scale{scale}.check({}); }); };
  EXPECT_EQ(words(128), "");
  EXPECT_EQ(words(0), "cos_scale: scale must be positive and finite, not 0");
  EXPECT_EQ(words(-16), "cos_scale: scale must be positive and finite, not -16");
  EXPECT_EQ(words(HUGE_VAL), "cos_scale: scale must be positive and finite, not inf");
}

}  // namespace
