// The gradients of learned numbers, wherever they stand in the sentence, and of those of a transform of one's own.
#include <gtest/gtest.h>

#include <iostream>
#include <optional>
#include <vector>

#include "support/loss.hpp"
#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using namespace longspan;
using namespace longspan::detail;

// A transform of one's own, with a learned number and without; it offers nothing but its body and where the number is.
struct learned_decay {
  learned rate;
  auto operator()(const query_row& row) const {
    return [rate = rate / double(row.head + 1)](auto logit, const auto& keys) {
      return logit - rate * log(1 + abs(keys.distance())) + tanh(rate * logit);
    };
  }
  auto parameters() { return std::tie(rate); }
};

// A root of the distance, whose derivative is infinite at the query itself; a choice, a comparison and a bound by a
// learned number.
struct rooted {
  learned rate, limit;
  auto operator()(const query_row&) const {
    return [*this](auto logit, const auto& keys) {
      using longspan::select;
      const auto far = select(keys.distance() > 100 * limit, 0.5 * logit, rate * logit);
      return far - min(rate * sqrt(keys.distance()), 10 * limit);
    };
  }
  auto parameters() { return std::tie(rate, limit); }
};

const per_head& list_of(const per_head& numbers) { return numbers; }
const per_head& list_of(const std::optional<per_head>& numbers) { return *numbers; }

TEST(learned_numbers, have_the_central_differences_of_the_definition) {
  const auto in = random_inputs<double>(
      {.batch = 2, .heads = 2, .key_heads = 1, .queries = 37, .keys = 301, .channels = 12, .value_channels = 7});
  const loss of{normal<double>(2, 2, 37, 7, 4), sums(sums(2, 2, 37).setRandom())};
  const auto expect = [&](const char* name, const auto& mechanism, auto... number) {
    auto gradient =
        backward_with_parameters(mechanism, in.q, in.k, in.v, kept_of(mechanism, in), attended{of.d_output, of.d_log_sum_exp})
            .d_mechanism;
    const auto one = [&](auto find) {
      const double wanted = difference(1e-4, [&](double offset) {
        auto moved = mechanism;
        find(moved, find(moved).value + offset);
        return of(moved, in);
      });
      EXPECT_NEAR(find(gradient).value, wanted, 2e-8 * (1 + std::abs(wanted))) << name;
      EXPECT_NE(wanted, 0) << name;
      std::cout << name << ": " << std::abs(find(gradient).value - wanted) << " of " << wanted << '\n';
    };
    (one(number), ...);
  };
  // Reads the number of some part, or sets it.
  const auto field = []<std::size_t Part>(std::integral_constant<std::size_t, Part>, auto member) {
    return [=](auto& whole, auto... set) {
      auto& number = std::get<Part>(whole.parts).*member;
      ((number = set), ...);
      return learned(number);
    };
  };
  const auto of_head = []<std::size_t Part>(std::integral_constant<std::size_t, Part>, auto member, index_t head) {
    return [=](auto& whole, auto... set) {
      auto& numbers = std::get<Part>(whole.parts).*member;
      std::vector<double> each = list_of(numbers).values();
      ((each[std::size_t(head)] = set), ...);
      if constexpr (sizeof...(set) > 0) numbers = per_head(each);
      return list_of(numbers)[head];
    };
  };
  constexpr std::integral_constant<std::size_t, 1> second;
  constexpr std::integral_constant<std::size_t, 2> third;
  expect("temperature", dot_product{} | temperature{0.8} | causal{}, field(second, &temperature::factor));
  expect("temperature behind a bias", dot_product{} | alibi{} | temperature{0.8} | causal{}, field(third, &temperature::factor));
  expect("two temperatures", dot_product{} | temperature{0.8} | temperature{1.5} | softcap{3} | causal{},
         field(second, &temperature::factor), field(third, &temperature::factor));
  expect("CosScale", cosine{} | cos_scale{8} | causal{}, field(second, &cos_scale::scale));
  expect("SSMax", dot_product{} | ss_max{.scale = 0.4} | causal{}, of_head(second, &ss_max::scale, 0));
  expect("SSMax of each head", rms_normalize{} | dot_product{} | ss_max{.scale = {0.4, 0.3}} | causal{},
         of_head(third, &ss_max::scale, 0), of_head(third, &ss_max::scale, 1));
  expect("tau", dot_product{} | scale_invariant{.tau = 7} | softcap{20} | causal{}, field(second, &scale_invariant::tau));
  expect("slopes", dot_product{} | alibi{.slopes = {{0.1, 0.2}}} | sliding_window{30, 3}, of_head(second, &alibi::slopes, 0),
         of_head(second, &alibi::slopes, 1));
  expect("sink", dot_product{} | causal{} | sink{{0.5, -1}}, of_head(third, &sink::logit, 0), of_head(third, &sink::logit, 1));
  // The choice switches at a distance of 40.4, the bound at 181.4: between keys, so that no step of a difference switches one.
  expect("rooted", dot_product{} | rooted{0.3, 0.404} | causal{}, field(second, &rooted::rate), field(second, &rooted::limit));
  const double steepness = 0.1;
  const by_distance captures{[=](index_t t) { return -steepness * double(t); }};
  expect("beside a lambda that cannot be assigned", dot_product{} | temperature{0.8} | captures | causal{},
         field(second, &temperature::factor));
  expect("own", dot_product{} | learned_decay{0.3} | causal{}, field(second, &learned_decay::rate));
}

}  // namespace
