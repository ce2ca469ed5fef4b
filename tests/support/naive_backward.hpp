#pragma once

#include <span>
#include <vector>

#include <longspan/longspan.hpp>

#include "naive.hpp"
#include "tensors.hpp"

namespace testing_support {

// The gradients as one writes them down first, all in T: whole rows of weights, one query after the other. In double a second
// definition, in float the yardstick of the error rule.
template <class T, class... Parts>
longspan::gradients<tensor<T>, tensor<T>, tensor<T>> naive_backward(const longspan::mechanism<Parts...>& whole,
                                                                    const inputs<T>& in, const tensor<T>& d_output) {
  using namespace longspan;
  using namespace longspan::detail;
  const shapes call = checked(view_of(in.q), view_of(in.k), view_of(in.v), {});
  const auto output = naive_attention(whole, in);
  longspan::gradients<tensor<T>, tensor<T>, tensor<T>> made{make_like(in.q), make_like(in.k), make_like(in.v)};
  made.d_query.setZero(), made.d_key.setZero(), made.d_value.setZero();
  const std::size_t d = std::size_t(call.channels);
  const auto channels_of = [&](const tensor<T>& from, index_t b, index_t h, index_t i) {
    std::vector<T> row;
    for (index_t c = 0; c < from.dimension(3); ++c) row.push_back(from(b, h, i, c));
    return row;
  };
  for (index_t b = 0; b < call.batch; ++b) {
    const auto mechanism = bound_of(whole, call, b);
    for (index_t g = 0; g < call.key_heads; ++g) {
      std::vector<std::vector<T>> keys, d_keys(std::size_t(call.keys), std::vector<T>(d));
      for (index_t j = 0; j < call.keys; ++j) {
        keys.push_back(channels_of(in.k, b, g, j));
        mechanism.key(std::span(keys.back()), mechanism.key_token(g, j));
      }
      for (index_t h = g * call.group(); h < (g + 1) * call.group(); ++h)
        for (index_t i = 0; i < call.queries; ++i) {
          const query_row row = mechanism.row(h, i);
          const auto transform = mechanism.transforms.of_scores(row);
          const auto weighted = mechanism.of_weights(row);
          auto query = channels_of(in.q, b, h, i);
          const auto unprepared = query;
          mechanism.query(std::span(query), mechanism.query_token(row));
          std::vector<dual<T>> logits;
          std::vector<index_t> seen;
          const auto sink = mechanism.sink_logit(h, i);
          T maximum = sink ? T(*sink) : -std::numeric_limits<T>::infinity(), sum = 0, mean = 0;
          for (index_t j = 0; j < call.keys; ++j) {
            if (!contains(mechanism.seen->keys_of(h, i), j)) continue;
            T score = 0;
            for (std::size_t c = 0; c < d; ++c) score += query[c] * keys[std::size_t(j)][c];
            logits.push_back(transform(dual<T>(T(mechanism.transforms.scale) * score, T(mechanism.transforms.scale)),
                                       keys_under<T>{j, row.position}));
            seen.push_back(j);
            maximum = std::max(maximum, logits.back().value);
          }
          if (seen.empty()) continue;
          if (sink) sum = std::exp(T(*sink) - maximum);
          for (const auto& z : logits) sum += std::exp(z.value - maximum);
          for (index_t c = 0; c < call.value_channels; ++c) mean += d_output(b, h, i, c) * output(b, h, i, c);
          std::vector<T> d_row(d);
          for (std::size_t s = 0; s < seen.size(); ++s) {
            const index_t j = seen[s];
            const T weight = std::exp(logits[s].value - maximum) / sum;
            const T factor = weighted(T(1), keys_under<T>{j, row.position});
            T d_weight = 0;
            for (index_t c = 0; c < call.value_channels; ++c) {
              d_weight += d_output(b, h, i, c) * in.v(b, g, j, c);
              made.d_value(b, g, j, c) += factor * weight * d_output(b, h, i, c);
            }
            const T d_score = weight * (factor * d_weight - mean) * logits[s].slope;
            for (std::size_t c = 0; c < d; ++c) {
              d_row[c] += d_score * keys[std::size_t(j)][c];
              d_keys[std::size_t(j)][c] += d_score * query[c];
            }
          }
          std::vector<T> scratch(d * std::size_t(mechanism.turns));
          mechanism.query_back(std::span<const T>(unprepared), std::span(d_row), mechanism.query_token(row), scratch.data());
          for (std::size_t c = 0; c < d; ++c) made.d_query(b, h, i, index_t(c)) = d_row[c];
        }
      for (index_t j = 0; j < call.keys; ++j) {
        std::vector<T> scratch(d * std::size_t(mechanism.turns));
        const auto unprepared = channels_of(in.k, b, g, j);
        mechanism.key_back(std::span<const T>(unprepared), std::span(d_keys[std::size_t(j)]), mechanism.key_token(g, j),
                           scratch.data());
        for (std::size_t c = 0; c < d; ++c) made.d_key(b, g, j, index_t(c)) = d_keys[std::size_t(j)][c];
      }
    }
  }
  return made;
}

// The worst absolute difference of any of the three.
template <class A, class B>
double worst_gradient(const A& a, const B& b) {
  return worse(
      {worst_difference(a.d_query, b.d_query), worst_difference(a.d_key, b.d_key), worst_difference(a.d_value, b.d_value)});
}

}  // namespace testing_support
