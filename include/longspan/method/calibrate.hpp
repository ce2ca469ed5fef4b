#pragma once

#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include <longspan/core/index.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/text.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/batch_of_texts.hpp>
#include <longspan/method/measured_head.hpp>
#include <longspan/reference/attention.hpp>
#include <longspan/tensor/placement.hpp>
#include <longspan/tensor/traits.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/transform/calibrated_temperature.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Where `calibrate` measures: the length that the model was trained at, in tokens, longer ones, ascending, and how many rows of a text
// count for each length n: those that see n, n - 1, ... n - rows + 1 keys.
struct calibration {
  index_t trained;
  std::vector<index_t> lengths;
  index_t rows = 32;
};

namespace detail {

// The trained length and those beyond.
inline std::vector<index_t> measured_lengths(const calibration& at) {
  detail::require_trained("calibrate: trained", at.trained);
  detail::require(!at.lengths.empty(), "calibrate: lengths", "one or more", at.lengths.size());
  detail::require(at.rows >= 1, "calibrate: rows", "at least 1", at.rows);
  std::vector<index_t> all{at.trained};
  for (const index_t n : at.lengths) {
    detail::require(n > all.back(), "calibrate: lengths", "above the trained one and ascending", n);
    all.push_back(n);
  }
  return all;
}

// The queries of a text, and one of its key heads as each summand prepares it.
template <class Q, class... Mechanism>
struct sampled_text {
  view<Q> query;
  std::tuple<prepared_head<Mechanism>...> heads;

  // Adds the rows of a head that see at most n keys, and more than n - rows; returns whether one sees n or more.
  bool measure(index_t h, index_t n, index_t rows, measured_head<Mechanism...>& to) const {
    const auto& first = std::get<0>(heads).mechanism;
    bool reached = false;
    for (index_t i = 0; i < first.lengths.queries; ++i) {
      const query_row row = first.row(h, i);
      reached = reached || row.seen >= n;
      if (row.seen > 0 && row.seen <= n && row.seen > n - rows) {
        const std::vector<double> channels = detail::exact_row(query.head(0, h), i);
        to.add(std::apply([&](const auto&... of) { return std::tuple{scored_row(of, channels, row, i)...}; }, heads));
      }
    }
    return reached;
  }
};

inline void require_measured(bool holds, const std::string& what, index_t head, index_t n) {
  if (!holds)
    throw std::invalid_argument("calibrate: " + what + " at a length of " + std::to_string(n) + ", head " + std::to_string(head));
}

// The factors of one head, at the trained length and those beyond, from all texts.
template <class Q, class... Mechanism>
std::vector<double> factors_of_head(const std::vector<sampled_text<Q, Mechanism...>>& texts, index_t h,
                                    const std::vector<index_t>& lengths, index_t rows) {
  std::vector<double> factors;
  double wanted = 0;
  for (const index_t n : lengths) {
    measured_head<Mechanism...> measured;
    bool reached = false;
    for (const auto& text : texts) reached = text.measure(h, n, rows, measured) || reached;
    detail::require_measured(reached && !measured.empty(), "no row of the samples sees as many keys", h, n);
    const double as_it_is = measured.entropy(1);
    detail::require_measured(std::isfinite(as_it_is), "logits are not finite", h, n);
    if (factors.empty()) wanted = as_it_is;
    factors.push_back(factors.empty() ? 1 : measured.factor_for(wanted));
  }
  return factors;
}

// `bound` are the summands, each bound to every text.
template <class Q, class K, class... Mechanism>
std::vector<std::vector<double>> factors_of_heads(const batch_of_texts& batch, const view<Q>& q, const view<K>& k,
                                                  const std::vector<index_t>& lengths, index_t rows,
                                                  const buffer<Mechanism>&... bound) {
  std::vector<std::vector<double>> factors;
  for (index_t g = 0; g < batch.lengths.key_heads; ++g) {
    std::vector<sampled_text<Q, Mechanism...>> texts;
    for (std::size_t t = 0; t < batch.texts.size(); ++t) {
      const text& own = batch.texts[t];
      const struct {
        view<K> key, value;
      } tensors{k.tokens_of(own.batch, own.keys), k.tokens_of(own.batch, own.keys)};
      texts.push_back({q.tokens_of(own.batch, own.queries), {prepared_head<Mechanism>(bound[t], tensors, g)...}});
    }
    for (index_t h = 0; h < batch.lengths.group(); ++h)
      factors.push_back(detail::factors_of_head(texts, g * batch.lengths.group() + h, lengths, rows));
  }
  return factors;
}

}  // namespace detail

// A temperature for each head that keeps the mean entropy of its attention, beyond the trained length, at what it is there: entropy
// invariance (arXiv 2501.08570) measured and not derived. Let H_h(n, x) be the mean over the sampled rows that see n keys of the entropy,
// in nats, of the softmax over f(x s): s are the scores of the mechanism and f is what it makes of them. Then x_h(m) = 1 and x_h(n) solves
// H_h(n, x) = H_h(m, 1): the solution nearest to 1, from 1/16 to 16; where there is none, of what was tried the one that comes nearest,
// which is 1 for a head whose logits are all alike. Entropies are not divided by log n: InfoScale's aim is the entropy itself.
//
// The mechanism is any sentence or sum without the temperature: its rotations, transforms and masks count; a sink and dropout do not, nor
// do values. q (batch, head, query, channel) and k (batch, key_head, key, channel) are a model's own, of one layer, in any precision, texts
// placed as by forward: a long one has rows of every length below its own. What is returned stands right behind the score, in each summand,
// at no cost:
//
//   const auto whole = rope{} | dot_product{} | causal{};
//   const auto fitted = calibrate(whole, q, k, {.trained = 2048, .lengths = {4096, 8192}});
//   forward(rope{} | dot_product{} | fitted | causal{}, q, k, v);
//
// In double, on the calling thread, O(lengths rows n) for each head and text. Throws what forward throws of q and k; std::invalid_argument
// for a trained length below 2, lengths that are not above it and ascending, rows below 1, where no row sees as many keys as a length
// (under a window none does), and for logits that are not finite.
template <class... Parts, class Q, class K>
calibrated_temperature calibrate(const mechanism<Parts...>& whole, const Q& q, const K& k, const calibration& at,
                                 const placement& where = {}) {
  static_assert(detail::is_complete<Parts...>,
                "calibrate(mechanism, q, k, {.trained = m, .lengths = {...}}): a mechanism goes from a score to a mask, as in "
                "dot_product{} | causal{}");
  const std::vector<index_t> lengths = detail::measured_lengths(at);
  const view<const detail::element_of<Q>> query = detail::view_of(q);
  const view<const detail::element_of<K>> key = detail::view_of(k);
  const detail::batch_of_texts batch(query, key, key, where);
  return {
      lengths,
      std::apply([&](const auto&... bound) { return detail::factors_of_heads(batch, query, key, lengths, at.rows, bound...); },
                 detail::bind_definitions(whole, batch.lengths, batch.texts))};
}

LONGSPAN_NAMESPACE_END
