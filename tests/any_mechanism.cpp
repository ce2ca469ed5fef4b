#include <longspan/any_mechanism.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using namespace longspan;

constexpr lengths of{.batch = 2, .heads = 4, .key_heads = 2, .queries = 150, .keys = 150, .channels = 20, .value_channels = 9};
const auto sentence = rope{} | dot_product{} | scale_invariant{} | causal{} | sink{{0.5, -1, 2, 0}};
const any_mechanism<float> any = make_any<float, float, quantized<8>>(sentence);

tensor<float> some_tokens(const tensor<float>& t, index_t first, index_t count) {
  return t.slice(Eigen::array<index_t, 4>{0, 0, first, 0},
                 Eigen::array<index_t, 4>{t.dimension(0), t.dimension(1), count, t.dimension(3)});
}

TEST(any_mechanism, has_the_bits_of_its_sentence) {
  const auto in = random_inputs<float>(of);
  const auto expected = forward(sentence, in.q, in.k, in.v), got = forward(any, in.q, in.k, in.v);
  EXPECT_TRUE(same_bits(got.output, expected.output));
  EXPECT_TRUE(same_bits(got.log_sum_exp, expected.log_sum_exp));
  tensor<float> output(2, 4, 150, 9);
  Eigen::Tensor<float, 3, Eigen::RowMajor> sums(2, 4, 150);
  forward_into(any, in.q, in.k, in.v, output, sums);
  EXPECT_TRUE(same_bits(output, expected.output) && same_bits(sums, expected.log_sum_exp));
  output.setZero();
  forward_into(any, in.q, in.k, in.v, output);
  EXPECT_TRUE(same_bits(output, expected.output));
}

TEST(any_mechanism, takes_texts_devices_and_matrices) {
  const auto in = random_inputs<float>(of);
  const std::array<index_t, 2> lengths{70, 150};
  const placement padded{.key_lengths = lengths, .query_lengths = lengths};
  const auto expected = forward(sentence, in.q, in.k, in.v, padded);
  Eigen::ThreadPool pool(3);
  const Eigen::ThreadPoolDevice device(&pool, 3);
  EXPECT_TRUE(same_bits(forward(any, in.q, in.k, in.v, padded).output, expected.output));
  EXPECT_TRUE(same_bits(forward(device, any, in.q, in.k, in.v, padded).output, expected.output));
  EXPECT_TRUE(same_bits(forward(device, any, in.q, in.k, in.v, padded).output, expected.output));

  const auto one_head = make_any_for_inference<float>(dot_product{} | causal{});
  const Eigen::MatrixXf q = Eigen::MatrixXf::Random(8, 30);
  EXPECT_TRUE(same_bits(forward(one_head, q, q, q).output, forward(dot_product{} | causal{}, q, q, q).output));
}

TEST(any_mechanism, has_the_gradients_of_its_sentence) {
  const auto in = random_inputs<float>(of);
  const auto kept = forward(any, in.q, in.k, in.v);
  const auto d_output = normal<float>(2, 4, 150, 9, 7);
  Eigen::Tensor<float, 3, Eigen::RowMajor> d_sums(2, 4, 150);
  d_sums.setConstant(0.5f);
  const auto expect = [&](const auto& d_kept) {
    const auto expected = backward(sentence, in.q, in.k, in.v, kept, d_kept), got = backward(any, in.q, in.k, in.v, kept, d_kept);
    EXPECT_TRUE(same_bits(got.d_query, expected.d_query));
    EXPECT_TRUE(same_bits(got.d_key, expected.d_key));
    EXPECT_TRUE(same_bits(got.d_value, expected.d_value));
    auto into = expected;
    for (auto* each : {&into.d_query, &into.d_key, &into.d_value}) each->setZero();
    backward_into(any, in.q, in.k, in.v, kept, d_kept, into.d_query, into.d_key, into.d_value);
    EXPECT_TRUE(same_bits(into.d_query, expected.d_query));
  };
  expect(d_output);
  expect(attended{d_output, d_sums});
  EXPECT_THROW(backward(make_any_for_inference<float>(dot_product{} | causal{}), in.q, in.k, in.v, kept, d_output),
               std::invalid_argument);
}

template <class Mechanism>
std::vector<double> numbers_of(const Mechanism& whole) {
  std::vector<double> numbers;
  for_each_learned(whole, [&](const double& number) { numbers.push_back(number); });
  return numbers;
}

TEST(any_mechanism, has_the_gradients_of_its_learned_numbers) {
  const auto in = random_inputs<float>(of);
  const auto kept = forward(any, in.q, in.k, in.v);
  const auto d_output = normal<float>(2, 4, 150, 9, 7);
  const auto expected = backward_with_parameters(sentence, in.q, in.k, in.v, kept, d_output);
  auto got = backward_with_parameters(any, in.q, in.k, in.v, kept, d_output);
  EXPECT_TRUE(same_bits(got.d_query, expected.d_query) && same_bits(got.d_key, expected.d_key));
  EXPECT_TRUE(same_bits(got.d_value, expected.d_value));
  EXPECT_EQ(numbers_of(got.d_mechanism), numbers_of(expected.d_mechanism));
  EXPECT_EQ(numbers_of(any), numbers_of(sentence));
  EXPECT_GE(numbers_of(any).size(), 5u);

  for (auto* each : {&got.d_query, &got.d_key, &got.d_value}) each->setZero();
  any_mechanism<float> d_mechanism = any;
  backward_with_parameters_into(any, in.q, in.k, in.v, kept, d_output, got.d_query, got.d_key, got.d_value, d_mechanism);
  EXPECT_TRUE(same_bits(got.d_query, expected.d_query));
  EXPECT_EQ(numbers_of(d_mechanism), numbers_of(expected.d_mechanism));

  // Without learned numbers, and without gradients.
  const any_mechanism<float> plain = make_any<float>(dot_product{} | causal{});
  const auto of_plain = backward_with_parameters(plain, in.q, in.k, in.v, kept, d_output);
  EXPECT_TRUE(same_bits(of_plain.d_key, backward(plain, in.q, in.k, in.v, kept, d_output).d_key));
  EXPECT_TRUE(numbers_of(of_plain.d_mechanism).empty());
  EXPECT_THROW(backward_with_parameters(make_any_for_inference<float>(sentence), in.q, in.k, in.v, kept, d_output),
               std::invalid_argument);
}

TEST(any_mechanism, steps_its_learned_numbers_apart_from_copies) {
  const auto in = random_inputs<float>(of);
  const auto step = [](double& number, double slope) { number += 0.125 * slope; };
  auto stepped = sentence;
  for_each_learned(stepped, sentence, step);
  any_mechanism<float> student = any;
  const any_mechanism<float> copy = student;
  for_each_learned(student, any, step);
  EXPECT_EQ(numbers_of(student), numbers_of(stepped));
  EXPECT_EQ(numbers_of(copy), numbers_of(sentence));
  EXPECT_TRUE(same_bits(forward(student, in.q, in.k, in.v).output, forward(stepped, in.q, in.k, in.v).output));
  EXPECT_TRUE(same_bits(forward(copy, in.q, in.k, in.v).output, forward(sentence, in.q, in.k, in.v).output));

  index_t visited = 0;
  EXPECT_THROW(
      for_each_learned(student, make_any_for_inference<float>(dot_product{} | causal{}), [&](double&, double) { ++visited; }),
      std::invalid_argument);
  const auto of_two_heads = make_any_for_inference<float>(dot_product{} | causal{} | sink{{1, 2}});
  EXPECT_THROW(for_each_learned(make_any_for_inference<float>(dot_product{} | causal{} | sink{{1, 2, 3}}), of_two_heads,
                                [&](double&, double) { ++visited; }),
               std::invalid_argument);
  EXPECT_EQ(visited, 0);
}

// Texts of 150 tokens in pages of 16, the last of the pool first.
template <class K>
struct pool {
  static constexpr index_t page = 16, each = 10;
  tensor<K> keys{2 * each, 2, page, 20};
  tensor<float> values{2 * each, 2, page, 9};
  std::vector<std::int32_t> table;
  std::array<index_t, 2> lengths{150, 150};

  explicit pool(const inputs<float>& in) {
    keys.setZero(), values.setZero();
    for (std::int32_t p = 0; p < 2 * each; ++p) table.push_back(2 * each - 1 - p);
    for (index_t t = 0; t < 2; ++t)
      for (index_t h = 0; h < 2; ++h)
        for (index_t j = 0; j < 150; ++j) {
          for (index_t c = 0; c < 20; ++c) keys(place(t, j), h, j % page, c) = K(in.k(t, h, j, c));
          for (index_t c = 0; c < 9; ++c) values(place(t, j), h, j % page, c) = in.v(t, h, j, c);
        }
  }
  index_t place(index_t text, index_t token) const { return table[std::size_t(text * each + token / page)]; }
  template <class S>
  static longspan::view<S> view_of(
      std::conditional_t<std::is_const_v<S>, const tensor<std::remove_const_t<S>>, tensor<S>>& pages) {
    const index_t width = pages.dimension(3);
    return {pages.data(), {2 * each, 2, page, width}, {2 * page * width, page * width, width, 1}};
  }
  auto pages() const { return paged{view_of<const K>(keys), view_of<const float>(values), std::span(table), std::span(lengths)}; }
};

TEST(any_mechanism, attends_to_the_pages_of_an_engine) {
  const auto in = random_inputs<float>(of);
  const auto last = some_tokens(in.q, 148, 2);
  using pages = paged<float>;
  using turned_pages = prepared_keys<paged<Eigen::bfloat16, float>>;
  const any_mechanism<float> reader = make_any_for_inference<float, pages, turned_pages>(sentence);

  const pool<float> of_texts(in);
  const auto expected = forward(sentence, last, in.k, in.v), got = forward(reader, last, of_texts.pages());
  EXPECT_TRUE(same_bits(got.output, expected.output) && same_bits(got.log_sum_exp, expected.log_sum_exp));
  tensor<float> output(2, 4, 2, 9);
  forward_into(reader, last, of_texts.pages(), output);
  EXPECT_TRUE(same_bits(output, expected.output));

  // Keys that are turned once, into narrower pages.
  tensor<Eigen::bfloat16> turned(2, 2, 150, 20), wanted(2, 2, 150, 20);
  prepare_keys(reader, in.k, turned);
  prepare_keys(sentence, in.k, wanted);
  EXPECT_TRUE(same_bits(turned, wanted));
  const pool<Eigen::bfloat16> narrow({in.q, turned.cast<float>(), in.v});
  Eigen::Tensor<float, 3, Eigen::RowMajor> sums(2, 4, 2);
  forward_into(Eigen::DefaultDevice{}, reader, last, prepared_keys{narrow.pages()}, output, sums);
  const auto of_narrow = forward(sentence, last, prepared_keys{narrow.pages()});
  EXPECT_TRUE(same_bits(output, of_narrow.output) && same_bits(sums, of_narrow.log_sum_exp));

  // What it was not made for, and what no pages are.
  EXPECT_THROW(forward(reader, last, prepared_keys{of_texts.pages()}), std::invalid_argument);
  EXPECT_THROW(forward(any, last, of_texts.pages()), std::invalid_argument);
  EXPECT_THROW(prepare_keys(any, in.k, turned), std::invalid_argument);
  EXPECT_THROW(any_cache<float>(reader, {.key_heads = 2, .channels = 20, .value_channels = 9}), std::invalid_argument);
  auto wrong = of_texts.pages();
  wrong.table = wrong.table.first(19);
  EXPECT_THROW(forward(reader, last, wrong), shape_error);
}

template <class Storage>
void expect_the_bits_of_a_cache(any_cache<float> cache) {
  const auto in = random_inputs<float>(of);
  kv_cache<Storage> expected(sentence, cache.shape());
  for (index_t first = 0; const index_t count : {1, 140, 9}) {
    cache.append(some_tokens(in.k, first, count), some_tokens(in.v, first, count));
    expected.append(some_tokens(in.k, first, count), some_tokens(in.v, first, count));
    first += count;
  }
  const auto last = some_tokens(in.q, 148, 2);
  const auto of_cache = forward(sentence, last, expected), got = forward(any, last, cache);
  EXPECT_TRUE(same_bits(got.output, of_cache.output) && same_bits(got.log_sum_exp, of_cache.log_sum_exp));

  any_cache<float> other = cache;
  other.truncate(1, 20);
  EXPECT_EQ(other.length(1), 20);
  EXPECT_EQ(cache.length(1), 150);
  tensor<float> output(2, 4, 2, 9);
  forward_into(any, last, cache, output);
  EXPECT_TRUE(same_bits(output, of_cache.output));
  output.setZero();
  Eigen::Tensor<float, 3, Eigen::RowMajor> sums(2, 4, 2);
  forward_into(any, last, cache, output, sums);
  EXPECT_TRUE(same_bits(output, of_cache.output) && same_bits(sums, of_cache.log_sum_exp));
  EXPECT_TRUE(same_bits(forward(any, last, cache, placement{.first_query = 100}).output,
                        forward(sentence, last, expected, placement{.first_query = 100}).output));
  other.erase(0), other.copy(1, 0);
  EXPECT_EQ(other.length(0), 20);
  EXPECT_LT(other.bytes(), cache.bytes());
}

TEST(any_cache, has_the_bits_of_the_cache_that_it_is) {
  const cache_shape shape{.key_heads = 2, .channels = 20, .value_channels = 9, .texts = 2};
  expect_the_bits_of_a_cache<float>(any_cache<float>(any, shape));
  expect_the_bits_of_a_cache<quantized<8>>(any_cache<float>(any, shape, std::in_place_type<quantized<8>>));
}

TEST(any_mechanism, may_be_a_sum_that_no_cache_keeps) {
  const auto sum = rerope(40);
  const any_mechanism<float> some = make_any_for_inference<float>(prepare(sum, {.keys = 150, .channels = 20}));
  const auto in = random_inputs<float>(of);
  EXPECT_TRUE(same_bits(forward(some, in.q, in.k, in.v).output, forward(sum, in.q, in.k, in.v).output));
  EXPECT_THROW(any_cache<float>(some, {.key_heads = 2, .channels = 20, .value_channels = 9}), std::invalid_argument);
  EXPECT_THROW(forward(some, in.q, any_cache<float>(any, {.key_heads = 2, .channels = 20, .value_channels = 9})),
               std::invalid_argument);
}

TEST(any_mechanism, may_skip_negligible_keys_of_tensors) {
  const auto skipping = dot_product{} | causal{} | skip_negligible{};
  const any_mechanism<float> some = make_any_for_inference<float>(skipping);
  const auto in = random_inputs<float>(of);
  EXPECT_TRUE(same_bits(forward(some, in.q, in.k, in.v).output, forward(skipping, in.q, in.k, in.v).output));
  EXPECT_THROW(any_cache<float>(some, {.key_heads = 2, .channels = 20, .value_channels = 9}), std::invalid_argument);
}

// An error of the door, in its words, before anything is written.
template <class Error, class Call>
void expect_error(const char* words, Call call) {
  try {
    call();
    ADD_FAILURE() << "nothing is thrown: " << words;
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), words);
  }
}

TEST(any_mechanism, refuses_what_its_sentence_refuses) {
  const auto in = random_inputs<float>(of);
  const auto short_values = some_tokens(in.v, 0, 149);
  tensor<float> output(2, 4, 150, 9);
  const char* const words = "key and value differ in tokens: 150 and 149";
  expect_error<shape_error>(words, [&] { forward(any, in.q, in.k, short_values); });
  expect_error<shape_error>(words, [&] { forward_into(any, in.q, in.k, short_values, output); });
  const auto kept = forward(any, in.q, in.k, in.v);
  expect_error<shape_error>(words, [&] { backward(any, in.q, in.k, short_values, kept, kept.output); });
  using longspan::view;
  const view<float> negative{nullptr, {1, 1, -1, 8}, {}};
  expect_error<shape_error>("query has a negative extent: -1", [&] { forward(any, negative, in.k, in.v); });

  const cache_shape shape{.key_heads = 2, .channels = 20, .value_channels = 9};
  any_cache<float> cache(any, shape);
  expect_error<shape_error>("query and cache differ in texts: 2 and 1", [&] { forward(any, in.q, cache); });
  EXPECT_THROW(any_cache<float>(any, shape, std::in_place_type<Eigen::half>), std::invalid_argument);
  EXPECT_THROW(forward(make_any_for_inference<float, quantized<8>>(dot_product{} | causal{}), in.q, cache),
               std::invalid_argument);
  EXPECT_THROW(forward(make_any_for_inference<float>(dot_product{} | sliding_window{.before = -1} | causal{}), in.q, in.k, in.v),
               std::invalid_argument);
}

}  // namespace
