// What row parts are told of a token, wherever the kernel prepares it: in prefill, decoding, the backward pass and the reference.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/loss.hpp"
#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using namespace longspan;
using namespace longspan::detail;

// A factor of its own for each token of each head, of queries and keys apart.
template <class T>
T own_factor(bool query, index_t place, index_t head, index_t batch, index_t text, index_t number) {
  return T(1 + 0.5 * std::sin(double(query) + 3 * double(place) + 5 * double(head) + 7 * double(batch) + 11 * double(text) +
                              13 * double(number)));
}
struct own_gain {
  template <class T>
  void turn(std::span<T> row, const token& of) const {
    for (T& channel : row) channel *= own_factor<T>(of.is_query(), of.place, of.head, of.batch, of.text, of.number);
  }
  template <class T>
  void turn_back(std::span<const T>, std::span<T> gradient, const token& of) const {
    turn(gradient, of);
  }
};

template <class T>
tensor<T> scaled_by_hand(const tensor<T>& rows, bool query, const placement& where, index_t first_place) {
  tensor<T> scaled = rows;
  for (index_t b = 0; b < rows.dimension(0); ++b)
    for (index_t h = 0; h < rows.dimension(1); ++h)
      for (index_t i = 0; i < rows.dimension(2); ++i) {
        const index_t place = first_place + i;
        for (index_t c = 0; c < rows.dimension(3); ++c)
          scaled(b, h, i, c) *= own_factor<T>(query, place, h, b, b, place - where.first_key);
      }
  return scaled;
}

template <class T>
void expect_as_by_hand(lengths of, const placement& where, double allowed) {
  const auto in = random_inputs<T>(of);
  const index_t first_query = where.first_query.value_or(of.keys - of.queries);
  const inputs<T> by_hand{scaled_by_hand(in.q, true, where, first_query), scaled_by_hand(in.k, false, where, where.first_key),
                          in.v};
  const auto told = own_gain{} | dot_product{} | causal{};
  const auto plain = dot_product{} | causal{};
  const auto kept = forward(told, in.q, in.k, in.v, where), wanted = forward(plain, by_hand.q, by_hand.k, in.v, where);
  EXPECT_LT(worst_difference(kept.output, wanted.output), allowed);
  EXPECT_LT(worst_difference(reference::attention(told, in.q, in.k, in.v, where).output, wanted.output), allowed);
  const tensor<T> d_output = normal<T>(of.batch, of.heads, of.queries, of.value_channels, 4);
  const auto d = backward(told, in.q, in.k, in.v, kept, d_output, where);
  const auto d_wanted = backward(plain, by_hand.q, by_hand.k, in.v, wanted, d_output, where);
  EXPECT_LT(worst_difference(d.d_query, scaled_by_hand(d_wanted.d_query, true, where, first_query)), allowed);
  EXPECT_LT(worst_difference(d.d_key, scaled_by_hand(d_wanted.d_key, false, where, where.first_key)), allowed);
}

TEST(every_row_part, is_told_the_same_of_a_token_everywhere) {
  for (const index_t queries : {150, 1, 3}) {  // a prefill, and decoding with keys that stream and that pass
    const lengths of{
        .batch = 2, .heads = 8, .key_heads = 2, .queries = queries, .keys = 301, .channels = 20, .value_channels = 9};
    expect_as_by_hand<double>(of, {}, 1e-12);
    expect_as_by_hand<float>(of, {}, 5e-5);
    expect_as_by_hand<double>(of, {.first_query = 200, .first_key = 35, .all_keys = 400}, 1e-12);
  }
}

// Parts that look at all that a token is told of: positions and angles from tensors of each text, maps of queries and keys apart, gains.
struct parts_of_every_kind {
  Eigen::Tensor<int, 2, Eigen::RowMajor> ids{2, 301};
  Eigen::Tensor<double, 3, Eigen::RowMajor> cosines{2, 301, 4}, sines{2, 301, 4};
  per_channel query_gain = std::vector<double>(12, 1.0), key_gain = query_gain;

  parts_of_every_kind() {
    for (index_t b = 0; b < 2; ++b)
      for (index_t j = 0; j < 301; ++j) {
        ids(b, j) = int(b == 0 ? j % 40 : 2 * j);
        for (index_t i = 0; i < 4; ++i) {
          const double angle = (double(b) + 0.1 * double(j)) / double(i + 1);
          cosines(b, j, i) = std::cos(angle), sines(b, j, i) = std::sin(angle);
        }
      }
    index_t c = 0;
    for (double& gain : query_gain) gain += 0.3 * std::sin(double(c++));
    for (double& gain : key_gain) gain += 0.3 * std::cos(double(c++));
  }

  auto gains_and_ids() const {
    return rms_normalize{.query_gain = query_gain, .key_gain = key_gain} | rope{}.at(positions{ids}) | dot_product{} | causal{};
  }
  auto tables_and_maps() const {
    const auto of_queries = [](index_t text, index_t place) { return double(place) / 2 + double(text); };
    const auto of_keys = [](index_t place) { return double(place) / 2 - 1; };
    return rotary_tables{cosines, sines} | p_rope{.pairing = pairing::interleaved}.at(of_queries, of_keys) | dot_product{} |
           causal{};
  }
};
constexpr lengths uneven{.batch = 2, .heads = 2, .key_heads = 1, .queries = 77, .keys = 301, .channels = 12, .value_channels = 7};

tensor<float> last(const tensor<float>& rows, index_t count) {
  return rows.slice(Eigen::array<Eigen::Index, 4>{0, 0, rows.dimension(2) - count, 0},
                    Eigen::array<Eigen::Index, 4>{rows.dimension(0), rows.dimension(1), count, rows.dimension(3)});
}

template <class Mechanism>
void expect_the_definition(const char* name, const Mechanism& mechanism) {
  const auto in = random_inputs<float>(uneven);
  const auto prefill = forward(mechanism, in.q, in.k, in.v);
  EXPECT_LT(worst_difference(prefill.output, reference::attention(mechanism, in.q, in.k, in.v).output), 1e-5) << name;
  Eigen::ThreadPool pool(2);
  for (const index_t count : {1, 3}) {
    const auto decoded = forward(Eigen::ThreadPoolDevice(&pool, 2), mechanism, last(in.q, count), in.k, in.v);
    EXPECT_TRUE(same_bits(decoded.output, last(prefill.output, count))) << name;
  }
  auto exact = random_inputs<double>(uneven);
  const loss of{normal<double>(2, 2, 77, 7, 4), sums(sums(2, 2, 77).setRandom())};
  const auto got =
      backward(mechanism, exact.q, exact.k, exact.v, kept_of(mechanism, exact), attended{of.d_output, of.d_log_sum_exp});
  const auto compare = [&](tensor<double>& x, const tensor<double>& gradient) {
    for (index_t i = 3; i < x.size(); i += x.size() / 7) {
      const double kept = x.data()[i], wanted = difference(1e-3, [&](double offset) {
                                         x.data()[i] = kept + offset;
                                         return of(mechanism, exact);
                                       });
      x.data()[i] = kept;
      EXPECT_NEAR(gradient.data()[i], wanted, 2e-8) << name;
    }
  };
  compare(exact.q, got.d_query), compare(exact.k, got.d_key);
}

TEST(every_row_part, agrees_with_the_definition) {
  const parts_of_every_kind parts;
  expect_the_definition("gains and ids", parts.gains_and_ids());
  expect_the_definition("tables and maps", parts.tables_and_maps());
}

// The gradients of gains beside those of other learned numbers, of parts before and after them.
TEST(every_row_part, learns_gains) {
  const parts_of_every_kind parts;
  const auto in = random_inputs<double>(uneven);
  const loss of{normal<double>(2, 2, 77, 7, 4), sums(sums(2, 2, 77).setRandom())};
  const auto mechanism = rms_normalize{.key_gain = parts.key_gain} | rope{} |
                         rms_normalize{.query_gain = parts.query_gain, .key_gain = parts.key_gain, .epsilon = 0.5} |
                         dot_product{} | temperature{0.7} | alibi{.slopes = {{0.1, 0.2}}} | causal{} | sink{{0.5, -1}};
  const auto kept = kept_of(mechanism, in);
  const attended d_kept{of.d_output, of.d_log_sum_exp};
  auto learned_of = [&](const auto& device) {
    return backward_with_parameters(device, mechanism, in.q, in.k, in.v, kept, d_kept).d_mechanism;
  };
  const auto gradient = learned_of(Eigen::DefaultDevice{});
  EXPECT_TRUE(get<rms_normalize>(gradient).query_gain.empty());
  std::vector<double> got;
  for_each_learned(gradient, [&](double number) { got.push_back(number); });
  ASSERT_EQ(got.size(), 3 * 12u + 1 + 2 + 2);
  for (std::size_t n = 0; n < got.size(); n += n < 35 ? 5 : 1) {
    const double wanted = difference(1e-4, [&](double offset) {
      auto moved = mechanism;
      std::size_t index = 0;
      for_each_learned(moved, [&](double& number) { number += index++ == n ? offset : 0; });
      return of(moved, in);
    });
    EXPECT_NEAR(got[n], wanted, 2e-8 * (1 + std::abs(wanted))) << "number " << n;
    EXPECT_NE(wanted, 0) << "number " << n;
  }
  for (const int threads : {2, 3}) {
    Eigen::ThreadPool pool(threads);
    std::vector<double> together;
    for_each_learned(learned_of(Eigen::ThreadPoolDevice(&pool, threads)), [&](double number) { together.push_back(number); });
    EXPECT_EQ(together, got) << threads << " threads";
  }
}

}  // namespace
