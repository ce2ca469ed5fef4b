#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include <longspan/core/index.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/reference/attention.hpp>
#include <longspan/transform/keys.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The scores of one row in one sentence, and the function that makes them logits.
template <class Mechanism>
struct scored_row {
  struct key {
    index_t position;
    double score;
  };
  index_t position;
  decltype(std::declval<const Mechanism&>().transforms.of_scores(query_row{})) function;
  std::vector<key> keys = {};

  scored_row(const prepared_head<Mechanism>& of, const std::vector<double>& query, const query_row& row, index_t i)
      : position(row.position), function(of.mechanism.transforms.of_scores(row)) {
    detail::for_each_score(of, query, row.head, i,
                           [&](std::size_t, double score, const auto& under) { keys.push_back({under.first, score}); });
  }

  // The logits where a temperature stands right behind the score.
  void append(double factor, std::vector<double>& logits) const {
    for (const key& each : keys) logits.push_back(function(factor * each.score, keys_under<double>{each.position, position}));
  }
};

// The entropy of a softmax, in nats: the logarithm of the sum of exponentials less the mean logit.
inline double entropy_of(std::span<const double> logits) {
  const double most = *std::max_element(logits.begin(), logits.end());
  double sum = 0, mean = 0;
  for (const double z : logits) {
    const double weight = std::exp(z - most);
    sum += weight;
    if (weight != 0) mean += weight * (z - most);
  }
  return std::log(sum) - mean / sum;
}

// Rows of one head, each over the keys of all sentences that are summed.
template <class... Mechanism>
class measured_head {
 public:
  void add(std::tuple<scored_row<Mechanism>...> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }

  // The mean entropy where a temperature stands right behind the scores.
  double entropy(double factor) const {
    double sum = 0;
    std::vector<double> logits;
    for (const auto& row : rows_) {
      logits.clear();
      std::apply([&](const auto&... summand) { (summand.append(factor, logits), ...); }, row);
      sum += detail::entropy_of(logits);
    }
    return sum / double(rows_.size());
  }

  // The temperature nearest to 1 at which the mean entropy is what is wanted, to 1e-10: sharper than 1 where it is higher, to 16, else
  // blunter, to 1/16. Where it is what is wanted nowhere, of those that were tried the first that comes nearest. Steps of a fourth root of
  // 2 find where it passes: under a softcap, logits are alike again once all are at the cap.
  double factor_for(double wanted) const {
    const auto excess = [&](double x) { return entropy(std::exp(x)) - wanted; };
    double from = 0, at_from = excess(from), nearest = from, at_nearest = at_from;
    if (std::abs(at_from) <= close_enough) return 1;
    const double step = std::copysign(std::log(2.) / 4, at_from);
    for (int steps = 1; steps <= 16; ++steps) {
      const double to = step * steps, at_to = excess(to);
      if (at_from * at_to <= 0) return std::exp(root(excess, from, at_from, to, at_to));
      if (std::abs(at_to) < std::abs(at_nearest)) nearest = to, at_nearest = at_to;
      from = to, at_from = at_to;
    }
    return std::exp(nearest);
  }

 private:
  static constexpr double close_enough = 1e-10;

  // Where a function is 0 between two places of different signs: false position, with the height of an end that stays halved (Illinois).
  static double root(const auto& function, double a, double at_a, double b, double at_b) {
    for (int step = 0; step < 100 && std::abs(at_b) > close_enough; ++step) {
      const double x = (a * at_b - b * at_a) / (at_b - at_a), at_x = function(x);
      if (at_x * at_b < 0)
        a = b, at_a = at_b;
      else
        at_a /= 2;
      b = x, at_b = at_x;
    }
    return b;
  }

  std::vector<std::tuple<scored_row<Mechanism>...>> rows_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
