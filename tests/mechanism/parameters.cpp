#include <longspan/mechanism/parameters.hpp>

#include <gtest/gtest.h>

#include <longspan/longspan.hpp>

namespace {

using namespace longspan;
using namespace longspan::detail;

struct two_numbers {
  learned first = 1.0, second = 2.0;
  auto operator()(const query_row&) const {
    return [*this](auto logit, const auto&) { return first * logit + second; };
  }
  auto parameters() { return std::tie(first, second); }
};

template <class... Parts>
constexpr std::size_t folded_in(const mechanism<Parts...>&) {
  return count_folded<Parts...>();
}
template <class... Parts>
constexpr std::size_t in_transforms(const mechanism<Parts...>&) {
  return transform_parameters<Parts...>;
}

const auto whole = rope{} | dot_product{} | temperature{3} | info_scale{.trained = 9} | ss_max{.scale = {4, 5}} | two_numbers{} |
                   temperature{6} | causal{} | sink{7};

TEST(parameters, are_counted_as_the_sentence_is_written) {
  auto copy = whole;
  std::vector<double> values;
  for_each_parameter(copy, [&](auto& number, std::size_t index) {
    EXPECT_EQ(index, values.size());
    if constexpr (requires { number.value; })
      values.push_back(number.value);
    else
      values.push_back(number[0].value);
  });
  EXPECT_EQ(values, (std::vector<double>{3, 4, 1, 2, 6, 7}));
  EXPECT_EQ(in_transforms(whole), 5u);
}

TEST(parameters, of_leading_temperatures_are_folded) {
  EXPECT_EQ(folded_in(whole), 2u);
  EXPECT_EQ(folded_in(dot_product{} | softcap{1} | causal{}), 0u);
  EXPECT_EQ(folded_in(dot_product{} | scale_invariant{} | temperature{1} | causal{}), 0u);
}

TEST(parameters, are_seeded_one_by_one) {
  auto copy = whole;
  for_each_parameter(copy, [](auto& number, std::size_t index) {
    if (index == 3) seed(number);
  });
  EXPECT_EQ(std::get<two_numbers>(copy.parts).second.slope, 1);
  EXPECT_EQ(std::get<two_numbers>(copy.parts).first.slope, 0);
  per_head list{1, 2};
  seed(list);
  EXPECT_EQ(list[0].slope, 1);
  EXPECT_EQ(list[1].slope, 1);
}

TEST(parameters, become_their_gradients_by_head_or_in_sum) {
  const std::vector<double> by_head{10, 20, 30};
  learned number = 1.0;
  become(number, by_head);
  EXPECT_EQ(number, 60);
  per_head one = 5.0, each{1, 2, 3};
  become(one, by_head), become(each, by_head);
  EXPECT_EQ(one.values(), (std::vector<double>{60}));
  EXPECT_EQ(each.values(), by_head);
  std::optional<per_head> none, some = each;
  become(none, by_head), become(some, by_head);
  EXPECT_FALSE(none.has_value());
  EXPECT_EQ(some->values(), by_head);
}

}  // namespace
