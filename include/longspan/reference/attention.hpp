#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include <longspan/core/query_row.hpp>
#include <longspan/mechanism/batch_of_texts.hpp>
#include <longspan/mechanism/bind.hpp>
#include <longspan/mechanism/bind_summands.hpp>
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

// The keys of one key head, and of the queries that read it a row at a time, in one sentence.
template <class Mechanism>
struct prepared_head {
  const Mechanism& mechanism;
  std::vector<prepared_key> keys = {};

  template <class Tensors>
  prepared_head(const Mechanism& of, const Tensors& tensors, index_t g) : mechanism(of) {
    for (index_t j = 0; j < of.lengths.keys; ++j) {
      keys.push_back({exact_row(tensors.key.head(0, g), j), exact_row(tensors.value.head(0, g), j)});
      of.key(std::span(keys.back().channels), of.key_token(g, j));
    }
  }
};

// Calls visit(k, score, keys) for every key at hand that query i of head h sees, with its score and with the keys as a transform is told of
// them.
template <class Mechanism, class Visit>
void for_each_score(const prepared_head<Mechanism>& of, std::vector<double> query, index_t h, index_t i, Visit visit) {
  const Mechanism& mechanism = of.mechanism;
  const query_row row = mechanism.row(h, i);
  const auto seen = mechanism.seen->keys_of(h, i);
  mechanism.query(std::span(query), mechanism.query_token(row));
  for (std::size_t k = 0; k < of.keys.size(); ++k) {
    if (!detail::contains(seen, index_t(k))) continue;
    double score = 0;
    for (std::size_t c = 0; c < query.size(); ++c) score += query[c] * of.keys[k].channels[c];
    visit(k, mechanism.transforms.scale * score, keys_under<double>{mechanism.lengths.first_key + index_t(k), row.position});
  }
}

// What a row makes of one key that it sees: its logit, what becomes of its weight after the softmax, as a factor, and its value.
struct weighed_key {
  double logit, factor;
  const std::vector<double>* value;
};

// Appends what query i of head h makes of the keys that it sees.
template <class Mechanism>
void weigh_keys(const prepared_head<Mechanism>& of, const std::vector<double>& query, index_t h, index_t i,
                std::vector<weighed_key>& weighed) {
  const query_row row = of.mechanism.row(h, i);
  const auto transform = of.mechanism.transforms.of_scores(row);
  const auto factor = of.mechanism.of_weights(row);
  detail::for_each_score(of, query, h, i, [&](std::size_t k, double score, const auto& keys) {
    weighed.push_back({transform(score, keys), factor(1.0, keys), &of.keys[k].value});
  });
}

// Writes the softmax over some keys and a sink, if there is one. Returns the log-sum-exp.
inline double attend_by_definition(const std::vector<weighed_key>& keys, std::optional<double> sink, std::span<double> output) {
  double maximum = sink.value_or(-std::numeric_limits<double>::infinity()), sum = 0;
  for (const weighed_key& key : keys)
    if (!(key.logit <= maximum)) maximum = key.logit;  // NaN too
  std::fill(output.begin(), output.end(), 0.0);
  const double subtrahend = maximum == -std::numeric_limits<double>::infinity() ? 0 : maximum;
  if (sink) sum = std::exp(*sink - subtrahend);
  for (const weighed_key& key : keys) {
    const double weight = std::exp(key.logit - subtrahend);
    sum += weight;
    for (std::size_t c = 0; c < output.size(); ++c) output[c] += weight * key.factor * (*key.value)[c];
  }
  if (sum != 0)  // 0 where the row sees nothing, or every logit is -infinity
    for (double& channel : output) channel /= sum;
  return subtrahend + std::log(sum);
}

// The rows of one text, over the keys of all sentences that are given: inputs and results are its own.
template <class Tensors, class... Mechanism>
void text_by_definition(const Tensors& tensors, const Mechanism&... summand) {
  const shapes& lengths = std::get<0>(std::tie(summand...)).lengths;
  std::vector<weighed_key> weighed;
  for (index_t g = 0; g < lengths.key_heads; ++g) {
    const std::tuple heads{prepared_head<Mechanism>(summand, tensors, g)...};
    for (index_t h = g * lengths.group(); h < (g + 1) * lengths.group(); ++h)
      for (index_t i = 0; i < lengths.queries; ++i) {
        const std::vector<double> query = exact_row(tensors.query.head(0, h), i);
        std::vector<double> attended(std::size_t(lengths.value_channels));
        std::optional<double> sink;
        weighed.clear();
        std::apply([&](const auto&... head) { (detail::weigh_keys(head, query, h, i, weighed), ...); }, heads);
        ((sink = sink ? sink : summand.sink_logit(h, i)), ...);
        *tensors.log_sum_exp.head(0, h).row(i) = detail::attend_by_definition(weighed, sink, attended);
        const auto output = tensors.output.head(0, h);
        for (index_t c = 0; c < lengths.value_channels; ++c) output.row(i)[c * output.channel_stride] = attended[std::size_t(c)];
      }
  }
}

// The summands of a sentence, each bound to every text.
template <class... Parts>
auto bind_definitions(const mechanism<Parts...>& whole, const shapes& lengths, std::span<const text> texts) {
  if constexpr (is_sum<Parts...>) {
    detail::check(whole, lengths, texts);
    return detail::bind_summands(whole, lengths, texts, [&](const auto& summand, const auto& seen) {
      return detail::bind_definition(summand, lengths, texts, seen);
    });
  } else {
    return std::tuple{detail::bind_definition(whole, lengths, texts)};
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
  const auto bound = detail::bind_definitions(whole, batch.lengths, batch.texts);
  for (std::size_t t = 0; t < batch.texts.size(); ++t)
    std::apply([&](const auto&... summand) { detail::text_by_definition(tensors.tokens_of(batch.texts[t]), summand[t]...); },
               bound);
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
