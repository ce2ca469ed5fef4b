// What row parts are told of a token, wherever the kernel prepares it: in prefill, decoding, the backward pass and the reference.
#include <gtest/gtest.h>

#include <cmath>

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

}  // namespace
