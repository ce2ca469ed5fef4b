#pragma once

#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <longspan/core/query_row.hpp>
#include <longspan/mechanism/batch_of_texts.hpp>
#include <longspan/mechanism/bind.hpp>
#include <longspan/tensor/attended.hpp>
#include <longspan/tensor/fill_between.hpp>
#include <longspan/tensor/forward_tensors.hpp>
#include <longspan/tensor/traits.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A key of one head in double, prepared, and its value.
struct prepared_key {
  std::vector<double> channels, value;
};

template <class S>
std::vector<double> exact_row(const head_view<const S>& head, index_t token) {
  std::vector<double> row;
  for (index_t c = 0; c < head.channels; ++c) row.push_back(double(head.row(token)[c * head.channel_stride]));
  return row;
}

// Writes the output of one row: logits of the keys it sees, softmax, weighted values. Returns its log-sum-exp.
template <class Mechanism>
double attend_by_definition(const Mechanism& mechanism, const query_row& row, const std::vector<double>& query,
                            const std::vector<prepared_key>& keys, std::span<double> output) {
  const auto transform = mechanism.transforms.of_scores(row);
  const auto weighted = mechanism.of_weights(row);
  const auto sink = mechanism.sink_logit(row.head, row.position - mechanism.lengths.first_query);
  std::vector<double> logits(keys.size());
  double maximum = sink.value_or(-std::numeric_limits<double>::infinity()), sum = 0;
  const auto each_seen = [&](auto visit) {
    const shapes& lengths = mechanism.lengths;
    const auto own = mechanism.seen->keys_of(row.head, row.position - lengths.first_query);
    for (index_t k = 0; k < lengths.keys; ++k)
      if (detail::contains(own, k)) visit(lengths.first_key + k, std::size_t(k));
  };
  each_seen([&](index_t j, std::size_t k) {
    double score = 0;
    for (std::size_t c = 0; c < query.size(); ++c) score += query[c] * keys[k].channels[c];
    logits[k] = transform(mechanism.transforms.scale * score, keys_under<double>{j, row.position});
    if (!(logits[k] <= maximum)) maximum = logits[k];  // NaN too
  });
  std::fill(output.begin(), output.end(), 0.0);
  const double subtrahend = maximum == -std::numeric_limits<double>::infinity() ? 0 : maximum;
  if (sink) sum = std::exp(*sink - subtrahend);
  each_seen([&](index_t j, std::size_t k) {
    const double weight = std::exp(logits[k] - subtrahend), changed = weighted(weight, keys_under<double>{j, row.position});
    sum += weight;
    for (std::size_t c = 0; c < output.size(); ++c) output[c] += changed * keys[k].value[c];
  });
  if (sum != 0)  // 0 where the row sees nothing, or every logit is -infinity
    for (double& channel : output) channel /= sum;
  return subtrahend + std::log(sum);
}

// The rows of one text: inputs and results are its own.
template <class Mechanism, class Tensors>
void text_by_definition(const Mechanism& mechanism, const Tensors& tensors) {
  const shapes& lengths = mechanism.lengths;
  for (index_t g = 0; g < lengths.key_heads; ++g) {
    std::vector<prepared_key> prepared;
    for (index_t j = 0; j < lengths.keys; ++j) {
      prepared.push_back({exact_row(tensors.key.head(0, g), j), exact_row(tensors.value.head(0, g), j)});
      mechanism.key(std::span(prepared.back().channels), mechanism.key_token(g, j));
    }
    for (index_t h = g * lengths.group(); h < (g + 1) * lengths.group(); ++h)
      for (index_t i = 0; i < lengths.queries; ++i) {
        const query_row row = mechanism.row(h, i);
        std::vector<double> query = exact_row(tensors.query.head(0, h), i), attended(std::size_t(lengths.value_channels));
        mechanism.query(std::span(query), mechanism.query_token(row));
        *tensors.log_sum_exp.head(0, h).row(i) = detail::attend_by_definition(mechanism, row, query, prepared, attended);
        const auto output = tensors.output.head(0, h);
        for (index_t c = 0; c < lengths.value_channels; ++c) output.row(i)[c * output.channel_stride] = attended[std::size_t(c)];
      }
  }
}

template <class... Parts, class Q, class K, class V>
auto attention_by_definition(const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v, const placement& where) {
  const batch_of_texts batch(detail::view_of(q), detail::view_of(k), detail::view_of(v), where);
  auto result = make_attended<Q, double>(batch.lengths);
  const view<double> output = detail::view_of(result.output),
                     log_sum_exp = traits_of<decltype(result.log_sum_exp)>::log_sum_exp_of(result.log_sum_exp);
  const forward_tensors<number_words<double>, view<const element_of<Q>>, view<const element_of<K>>, view<const element_of<V>>,
                        view<double>>
      tensors{detail::view_of(q), detail::view_of(k), detail::view_of(v), output, log_sum_exp};
  detail::fill_between(this_thread{}, output, batch.texts, &text::queries, 0.0);
  detail::fill_between(this_thread{}, log_sum_exp, batch.texts, &text::queries, -std::numeric_limits<double>::infinity());
  for (const auto& mechanism : detail::bind_definition(whole, batch.lengths, batch.texts))
    detail::text_by_definition(mechanism, tensors.tokens_of(mechanism.of));
  return result;
}

}  // namespace detail

namespace reference {

// Attention by its definition, in double, without tiles, in O(queries x keys) time: every kernel is tested against it, and so can
// be a part of your own. Takes what forward takes, throws what forward throws; results are doubles of the rank and order of q.
template <class... Parts, class Q, class K, class V>
auto attention(const mechanism<Parts...>& whole, const Q& q, const K& k, const V& v, const placement& where = {}) {
  return detail::attention_by_definition(whole, q, k, v, where);
}

}  // namespace reference
LONGSPAN_NAMESPACE_END
