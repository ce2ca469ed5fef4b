#include <longspan/mechanism/bind.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <longspan/longspan.hpp>

#include "support/bound_of.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::bound_of;
using testing_support::words_of;

const shapes small{.batch = 1,
                   .heads = 2,
                   .key_heads = 1,
                   .queries = 5,
                   .keys = 9,
                   .channels = 8,
                   .value_channels = 8,
                   .first_query = 4,
                   .all_keys = 9};

// Bound for the kernel and for the reference, a sentence refuses the same with the same words.
template <class Sentence>
std::string refusal(const Sentence& whole, const shapes& of = small) {
  const std::string kernel = words_of([&] { detail::bind<float>(whole, of, texts_of(of, {}), 16); }),
                    reference = words_of([&] { bound_of(whole, of); });
  EXPECT_EQ(kernel, reference);
  return kernel;
}

TEST(bind, checks_every_part) {
  EXPECT_EQ(refusal(dot_product{} | causal{}), "");
  EXPECT_EQ(refusal(p_rope{.fraction = 2} | dot_product{} | causal{}), "p_rope: fraction must be in [0, 1], not 2");
  EXPECT_EQ(refusal(dot_product{.scale = HUGE_VAL} | causal{}), "dot_product: scale must be finite, not inf");
  EXPECT_EQ(refusal(dot_product{} | temperature{2} | softcap{0} | causal{}), "softcap: cap must be positive and finite, not 0");
  EXPECT_EQ(refusal(dot_product{} | scale_invariant{.tau = -1} | causal{}),
            "scale_invariant: tau must be positive and finite, not -1");
  EXPECT_EQ(refusal(dot_product{} | causal{} | sliding_window{2, -1}), "sliding_window: after must be at least 0, not -1");
  EXPECT_EQ(refusal(dot_product{} | causal{} | sink{{1, 2, 3}}),
            "sink: logit must be one number or one for each head: 3 numbers and 2 heads");
}

struct picky {
  auto operator()(const query_row&) const {
    return [](auto logit, const auto&) { return logit; };
  }
  void check(const shapes& of) const { require(of.channels < 8, "picky: channels", "less than 8", of.channels); }
};

TEST(bind, asks_a_part_of_ones_own_about_the_lengths) {
  EXPECT_EQ(refusal(dot_product{} | picky{} | causal{}), "picky: channels must be less than 8, not 8");
}

TEST(bind, names_the_first_part_that_refuses) {
  EXPECT_EQ(refusal(rope{.base = 0} | dot_product{} | softcap{0} | sliding_window{-1}),
            "rope: base must be positive and finite, not 0");
}

TEST(bind, replaces_rotations_and_functions_of_the_distance_by_tables) {
  const auto whole = rope{} | dot_product{} | scale_invariant{} | temperature{2} | causal{};
  const auto kernel = detail::bind<double>(whole, small, texts_of(small, {}), 16)[0];
  const auto reference = bound_of(whole, small);
  static_assert(std::is_same_v<decltype(kernel.rows), std::tuple<angle_table<double>>>);
  static_assert(std::is_same_v<decltype(kernel.transforms.transforms), std::tuple<scale_invariant::table<double>, temperature>>);
  static_assert(std::is_same_v<decltype(reference.rows), std::tuple<rotation_by_definition>>);
  static_assert(std::is_same_v<decltype(reference.transforms.transforms), std::tuple<scale_invariant, temperature>>);
  for (index_t i = 0; i < small.queries; ++i) {
    const query_row row = kernel.row(0, i);
    std::vector<double> a{1, 2, 3, 4, 5, 6, 7, 8}, b = a;
    kernel.query(std::span(a), kernel.query_token(row)), reference.query(std::span(b), reference.query_token(row));
    for (std::size_t c = 0; c < a.size(); ++c) EXPECT_NEAR(a[c], b[c], 1e-13);
    for (index_t j = 0; j <= row.position; ++j) {
      const keys_under<double> key{j, row.position};
      EXPECT_NEAR(kernel.transforms.of_scores(row)(1.5, key), reference.transforms.of_scores(row)(1.5, key), 1e-13);
    }
  }
}

}  // namespace
