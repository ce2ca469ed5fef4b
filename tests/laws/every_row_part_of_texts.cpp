// Row parts that read tensors find a text's own elements, wherever it lies: a text of a batch has the bits of its call alone.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using namespace longspan;

// Some tokens of a text.
template <class Tensor>
Tensor part(const Tensor& whole, index_t batch, index_t first, index_t count, int axis) {
  auto offsets = whole.dimensions(), extents = offsets;
  for (index_t& offset : offsets) offset = 0;
  offsets[0] = batch, extents[0] = 1;
  offsets[std::size_t(axis)] = first, extents[std::size_t(axis)] = count;
  return whole.slice(offsets, extents);
}
tensor<float> tokens(const tensor<float>& rows, index_t batch, index_t first, index_t count) {
  return part(rows, batch, first, count, 2);
}

// Positions and angles that differ from token to token and from text to text.
struct of_tokens {
  Eigen::Tensor<double, 2, Eigen::RowMajor> ids;
  Eigen::Tensor<float, 3, Eigen::RowMajor> cosines, sines;

  of_tokens(index_t batch, index_t count) : ids(batch, count), cosines(batch, count, 4), sines(batch, count, 4) {
    for (index_t b = 0; b < batch; ++b)
      for (index_t j = 0; j < count; ++j) {
        ids(b, j) = double((7 * j + 3 * b) % 50) / 2;
        for (index_t i = 0; i < 4; ++i) {
          const double angle = double(b) + 0.3 * double(j * (i + 1));
          cosines(b, j, i) = float(std::cos(angle)), sines(b, j, i) = float(std::sin(angle));
        }
      }
  }
  of_tokens(const of_tokens& all, index_t b, index_t first, index_t count)
      : ids(part(all.ids, b, first, count, 1)),
        cosines(part(all.cosines, b, first, count, 1)),
        sines(part(all.sines, b, first, count, 1)) {}

  // Alone a text is number 0, in the batch `number`.
  auto sentence(index_t number = 0) const {
    const auto of_queries = [=](index_t text, index_t place) { return double(text + number) + double(place) / 3; };
    return rms_normalize{.key_gain = std::vector<double>(12, 1.25)} | rope{}.at(positions{ids}) | rotary_tables{cosines, sines} |
           p_rope{}.at(of_queries, [](index_t place) { return 2 * place; }) | dot_product{} | causal{};
  }
};

struct text_of {
  index_t batch;
  interval queries, keys;
};

void expect_each_as_alone(const lengths& of, const placement& where, const std::vector<text_of>& texts) {
  const of_tokens whole(of.batch, of.keys);
  const auto in = random_inputs<float>(of);
  const auto d_output = normal<float>(of.batch, of.heads, of.queries, of.value_channels, 9);
  Eigen::ThreadPool pool(3);
  const Eigen::ThreadPoolDevice device(&pool, 3);
  const auto kept = forward(device, whole.sentence(), in.q, in.k, in.v, where);
  const auto gradient = backward_with_parameters(device, whole.sentence(), in.q, in.k, in.v, kept, d_output, where);
  std::vector<double> gains(12, 0.0);
  for (std::size_t t = 0; t < texts.size(); ++t) {
    const index_t b = texts[t].batch;
    const interval queries = texts[t].queries, keys = texts[t].keys;
    const of_tokens own(whole, b, keys.first, keys.size());
    const auto rows = [&](const tensor<float>& all) { return tokens(all, b, queries.first, queries.size()); };
    const auto columns = [&](const tensor<float>& all) { return tokens(all, b, keys.first, keys.size()); };
    const auto sentence = own.sentence(index_t(t));
    const auto q = rows(in.q), k = columns(in.k), v = columns(in.v);
    const auto alone = forward(sentence, q, k, v);
    EXPECT_TRUE(same_bits(alone.output, rows(kept.output))) << "text " << t;
    const auto of_text = backward_with_parameters(sentence, q, k, v, alone, rows(d_output));
    EXPECT_TRUE(same_bits(of_text.d_query, rows(gradient.d_query))) << "text " << t;
    EXPECT_TRUE(same_bits(of_text.d_key, columns(gradient.d_key))) << "text " << t;
    std::size_t number = 0;
    for_each_learned(of_text.d_mechanism, [&](double gain) { gains[number++] += gain; });
  }
  std::size_t number = 0;
  for_each_learned(gradient.d_mechanism, [&](double gain) { EXPECT_NEAR(gain, gains[number++], 1e-12 * (1 + std::abs(gain))); });
  EXPECT_EQ(number, 12u);
}

TEST(every_row_part_of_texts, finds_its_own_where_texts_are_packed) {
  const std::array<index_t, 4> starts{0, 120, 121, 460};
  expect_each_as_alone({.heads = 4, .key_heads = 2, .queries = 460, .keys = 460, .channels = 12, .value_channels = 16},
                       {.query_starts = starts, .key_starts = starts},
                       {{0, {0, 120}, {0, 120}}, {0, {120, 121}, {120, 121}}, {0, {121, 460}, {121, 460}}});
}

TEST(every_row_part_of_texts, finds_its_own_where_texts_are_padded) {
  const std::array<index_t, 3> queries{3, 3, 2}, keys{300, 37, 450};
  expect_each_as_alone({.batch = 3, .heads = 4, .key_heads = 2, .queries = 3, .keys = 450, .channels = 12, .value_channels = 16},
                       {.key_lengths = keys, .query_lengths = queries},
                       {{0, {0, 3}, {0, 300}}, {1, {0, 3}, {0, 37}}, {2, {0, 2}, {0, 450}}});
}

}  // namespace
