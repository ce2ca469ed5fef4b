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
    detail::for_each_score(of, query, row.head, i, [&](std::size_t, double score, const auto& under) {
      keys.push_back({under.first, score});
    });
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

  // The temperature from 1/16 to 16 at which the mean entropy is what is wanted, to 1e-10; the end of these that comes nearest where none
  // is. By false position in its logarithm, with the height of an end that stays halved (Illinois).
  double factor_for(double wanted) const {
    const auto excess = [&](double x) { return entropy(std::exp(x)) - wanted; };
    double low = -std::log(16.), high = std::log(16.), at_low = excess(low), at_high = excess(high), x = 0;
    if (!(at_low > 0)) return 1 / 16.;
    if (!(at_high < 0)) return 16;
    double at_x = 1, before = 0;
    for (int step = 0; step < 200 && std::abs(at_x) > 1e-10; ++step, before = at_x) {
      x = (low * at_high - high * at_low) / (at_high - at_low);
      at_x = excess(x);
      double& end = at_x > 0 ? low : high;
      double& at_end = at_x > 0 ? at_low : at_high;
      double& at_other = at_x > 0 ? at_high : at_low;
      if (at_x * before > 0) at_other /= 2;
      end = x, at_end = at_x;
    }
    return std::exp(x);
  }

 private:
  std::vector<std::tuple<scored_row<Mechanism>...>> rows_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
