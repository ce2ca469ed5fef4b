#pragma once

#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <longspan/longspan.hpp>

#include "bound_of.hpp"
#include "tensors.hpp"

namespace testing_support {

// Attention as one writes it down first, all in T: the yardstick of the error rule. A fused kernel may err at most twice as much
// against the double reference.
template <class T, class... Parts>
tensor<T> naive_attention(const longspan::mechanism<Parts...>& whole, const inputs<T>& in,
                          const longspan::placement& where = {}) {
  using namespace longspan;
  using namespace longspan::detail;
  const shapes call = checked(view_of(in.q), view_of(in.k), view_of(in.v), where);
  tensor<T> output(call.batch, call.heads, call.queries, call.value_channels);
  output.setZero();
  const auto prepared = [&](const tensor<T>& from, index_t b, index_t h, index_t i, auto prepare) {
    std::vector<T> row(std::size_t(call.channels));
    for (index_t c = 0; c < call.channels; ++c) row[std::size_t(c)] = from(b, h, i, c);
    prepare(std::span(row));
    return row;
  };
  for (index_t b = 0; b < call.batch; ++b) {
    const auto mechanism = bound_of(whole, call, b);
    for (index_t h = 0; h < call.heads; ++h) {
      const index_t g = h / call.group();
      std::vector<std::vector<T>> keys;
      for (index_t j = 0; j < call.keys; ++j)
        keys.push_back(prepared(in.k, b, g, j, [&](auto channels) { mechanism.key(channels, mechanism.key_token(g, j)); }));
      for (index_t i = 0; i < call.queries; ++i) {
        const query_row row = mechanism.row(h, i);
        const auto transform = mechanism.transforms.of_scores(row);
        const auto weighted = mechanism.of_weights(row);
        const auto query = prepared(in.q, b, h, i, [&](auto channels) { mechanism.query(channels, mechanism.query_token(row)); });
        const auto sink = mechanism.sink_logit(h, i);
        std::vector<T> logits(std::size_t(call.keys), -std::numeric_limits<T>::infinity());
        T maximum = sink ? T(*sink) : -std::numeric_limits<T>::infinity(), sum = 0;
        for (index_t j = 0; j < call.keys; ++j) {
          if (!contains(mechanism.seen->keys_of(h, i), j)) continue;
          const std::vector<T>& key = keys[std::size_t(j)];
          T score = 0;
          for (std::size_t c = 0; c < query.size(); ++c) score += query[c] * key[c];
          logits[std::size_t(j)] =
              transform(T(mechanism.transforms.scale) * score, keys_under<T>{call.first_key + j, row.position});
          maximum = std::max(maximum, logits[std::size_t(j)]);
        }
        if (maximum == -std::numeric_limits<T>::infinity()) continue;
        if (sink) sum = std::exp(T(*sink) - maximum);
        std::vector<T> values(std::size_t(call.value_channels), T(0));
        for (index_t j = 0; j < call.keys; ++j) {
          const T weight = std::exp(logits[std::size_t(j)] - maximum);
          const T changed = weighted(weight, keys_under<T>{call.first_key + j, row.position});
          sum += weight;
          const T* const value = in.v.data() + ((b * call.key_heads + g) * call.keys + j) * call.value_channels;
          for (std::size_t c = 0; c < values.size(); ++c) values[c] += changed * value[c];
        }
        for (std::size_t c = 0; c < values.size(); ++c) output(b, h, i, index_t(c)) = values[c] / sum;
      }
    }
  }
  return output;
}

}  // namespace testing_support
