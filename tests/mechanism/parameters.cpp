#include <longspan/mechanism/parameters.hpp>

#include <gtest/gtest.h>

#include <type_traits>
#include <utility>
#include <vector>

#include <longspan/longspan.hpp>

#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::words_of;

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

template <class... Parts>
constexpr std::size_t in_rows(const mechanism<Parts...>&) {
  return row_parameters<Parts...>;
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
  per_channel without, gain{1, 2, 3};
  become(without, by_head), become(gain, by_head);
  EXPECT_TRUE(without.empty());
  EXPECT_EQ(gain.values(), by_head);
}

// Those of row parts come first and are not counted with the transforms.
TEST(parameters, of_row_parts_are_counted_apart) {
  const auto learning = rms_normalize{.key_gain = {1, 2}} | rope{} | rms_normalize{} | dot_product{} | temperature{3} | causal{};
  EXPECT_EQ(in_transforms(learning), 1u);
  EXPECT_EQ(in_rows(learning), 4u);
  EXPECT_EQ(in_rows(whole), 0u);
  EXPECT_EQ(folded_in(learning), 1u);
  std::vector<double> values;
  for_each_learned(learning, [&](double number) { values.push_back(number); });
  EXPECT_EQ(values, (std::vector<double>{1, 2, 3}));
}

// A list is checked against the heads without writing to the part, whether parameters() is const or not.
struct own_list {
  per_head numbers = 1.0;
  auto operator()(const query_row& row) const {
    return [number = numbers[row.head]](auto logit, const auto&) { return number * logit; };
  }
  auto parameters() { return std::tie(numbers); }
};

TEST(parameters, of_const_parts_are_checked) {
  const auto words = [](const auto& part, index_t heads) {
    return words_of([&] { check_numbers(part, {.heads = heads, .channels = 4}); });
  };
  EXPECT_EQ(words(sink{{1, 2}}, 2), "");
  EXPECT_EQ(words(sink{{1, 2}}, 3), "a part's per_head must be one number or one for each head: 2 numbers and 3 heads");
  EXPECT_EQ(words(own_list{{1, 2}}, 3), "a part's per_head must be one number or one for each head: 2 numbers and 3 heads");
  EXPECT_EQ(words(own_list{5.0}, 3), "");
  EXPECT_EQ(words(alibi{}, 3), "");
  EXPECT_EQ(words(alibi{.slopes = {{1, 2}}}, 3),
            "a part's per_head must be one number or one for each head: 2 numbers and 3 heads");
  EXPECT_EQ(words(two_numbers{}, 3), "");
  EXPECT_EQ(words(rope{}, 3), "");
  EXPECT_EQ(words(rms_normalize{}, 3), "");
  EXPECT_EQ(words(rms_normalize{.key_gain = {1, 2, 3, 4}}, 3), "");
  EXPECT_EQ(words(rms_normalize{.key_gain = {1, 2, 3}}, 3),
            "a part's per_channel must have a number for each channel, or none: 3 numbers and 4 channels");
}

TEST(for_each_learned, visits_every_number_in_order) {
  auto copy = whole;
  for_each_learned(copy, [](double& number) { number += 100; });
  std::vector<double> values;
  for_each_learned(std::as_const(copy), [&](const double& number) { values.push_back(number); });
  EXPECT_EQ(values, (std::vector<double>{103, 104, 105, 101, 102, 106, 107}));
  EXPECT_EQ((get<temperature, 1>(copy).factor), 106);
  EXPECT_EQ(get<ss_max>(copy).scale[1], 105);
  // Numbers of a const mechanism are const, also where a part of it has no const parameters().
  for_each_learned(whole, [](auto& number) { static_assert(std::is_same_v<decltype(number), const double&>); });
  const auto without = dot_product{} | softcap{3} | causal{};
  for_each_learned(without, [](const double&) { FAIL(); });
}

TEST(for_each_learned, hands_out_the_numbers_themselves_where_it_can) {
  const auto named = dot_product{} | temperature{3} | ss_max{.scale = {4, 5}} | causal{} | sink{};
  std::vector<const double*> places;
  for_each_learned(named, [&](const double& number) { places.push_back(&number); });
  EXPECT_EQ(places, (std::vector<const double*>{&get<temperature>(named).factor.value, get<ss_max>(named).scale.begin(),
                                                get<ss_max>(named).scale.begin() + 1, get<sink>(named).logit.begin()}));
}

TEST(for_each_learned, visits_several_mechanisms_together) {
  auto student = dot_product{} | temperature{3} | alibi{.slopes = {{4, 5}}} | causal{} | sink{6};
  const auto gradient = dot_product{} | temperature{1} | alibi{.slopes = {{2, 3}}} | causal{} | sink{4};
  auto momentum = gradient;
  for_each_learned(student, gradient, momentum, [](double& number, double slope, double& before) {
    number -= slope / 2;
    before = 10 * slope;
  });
  std::vector<double> values, moments;
  for_each_learned(student, momentum, [&](double number, double moment) { values.push_back(number), moments.push_back(moment); });
  EXPECT_EQ(values, (std::vector<double>{2.5, 3, 3.5, 4}));
  EXPECT_EQ(moments, (std::vector<double>{10, 20, 30, 40}));
}

TEST(for_each_learned, refuses_lists_of_different_lengths_before_it_visits) {
  const auto with = [](std::optional<per_head> slopes) { return dot_product{} | temperature{3} | alibi{slopes} | causal{}; };
  const auto words = [&](std::optional<per_head> left, std::optional<per_head> right) {
    auto a = with(left);
    const auto b = with(right);
    return words_of([&] { for_each_learned(a, b, [](double&, double) { FAIL(); }); });
  };
  EXPECT_EQ(words({{1, 2, 3}}, 4), "for_each_learned: learned number 1 is a list of different lengths: 3 and 1");
  EXPECT_EQ(words(4, {{1, 2, 3}}), "for_each_learned: learned number 1 is a list of different lengths: 1 and 3");
  EXPECT_EQ(words({}, 4), "for_each_learned: learned number 1 is a list of different lengths: 0 and 1");
}

TEST(get, finds_each_of_several_parts_of_a_type) {
  auto copy = whole;
  EXPECT_EQ(longspan::get<temperature>(copy).factor, 3);
  EXPECT_EQ((longspan::get<temperature, 1>(copy).factor), 6);
  get<temperature, 1>(copy).factor = 8;
  EXPECT_EQ((get<temperature, 1>(std::as_const(copy)).factor), 8);
  EXPECT_EQ(get<temperature>(copy).factor, 3);
  static_assert(std::is_same_v<decltype(get<sink>(whole)), const sink&> && std::is_same_v<decltype(get<sink>(copy)), sink&>);
}

namespace beside_std {
using namespace std;
using namespace longspan;

TEST(get, is_found_beside_that_of_std) {
  EXPECT_EQ(get<rope>(whole).base, 10000);
  EXPECT_EQ((get<temperature, 1>(whole).factor), 6);
}
}  // namespace beside_std

}  // namespace
