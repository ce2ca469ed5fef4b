#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <longspan/core/index.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/transform/temperature.hpp>

LONGSPAN_NAMESPACE_BEGIN

// z = x_h(n) s, a temperature for each head from a table by the number n of keys that the row sees: what `calibrate` fits to a model, or
// numbers kept from it. factors[head][l] belongs to lengths[l] tokens; between two lengths x_h is a line in log n, below the first it is
// the first factor; beyond the last the last line goes on if it rises, while one that falls, and would reach 0, ends there. Copies share
// the table. Throws std::invalid_argument where lengths are not above 1 and ascending, a head has not a factor for each length, or one is
// not positive and finite; a call does where its heads are others.
class calibrated_temperature {
 public:
  static constexpr stage order = stage::temperature;

  calibrated_temperature(std::vector<index_t> lengths, std::vector<std::vector<double>> factors)
      : table_(std::make_shared<const table>(std::move(lengths), std::move(factors))) {}

  const std::vector<index_t>& lengths() const { return table_->lengths; }
  const std::vector<std::vector<double>>& factors() const { return table_->factors; }

  double factor(index_t n, index_t head) const {
    const std::vector<index_t>& at = lengths();
    const std::vector<double>& of = factors()[std::size_t(head)];
    if (n <= at.front() || at.size() == 1) return of.front();
    const auto above = std::min(std::upper_bound(at.begin(), at.end(), n), at.end() - 1);
    const auto l = std::size_t(above - at.begin());
    const double share = std::log(double(n) / double(at[l - 1])) / std::log(double(at[l]) / double(at[l - 1]));
    const double line = of[l - 1] + share * (of[l] - of[l - 1]);
    return n > at.back() ? std::max(line, of.back()) : line;
  }

  row_factor operator()(const query_row& row) const { return {factor(row.seen, row.head)}; }

  void check(const shapes& call) const {
    if (index_t(factors().size()) != call.heads)
      throw std::invalid_argument("calibrated_temperature and query differ in heads: " + std::to_string(factors().size()) +
                                  " and " + std::to_string(call.heads));
  }

 private:
  struct table {
    std::vector<index_t> lengths;
    std::vector<std::vector<double>> factors;

    table(std::vector<index_t> at, std::vector<std::vector<double>> of) : lengths(std::move(at)), factors(std::move(of)) {
      detail::require(!lengths.empty(), "calibrated_temperature: lengths", "one or more", lengths.size());
      for (std::size_t l = 0; l < lengths.size(); ++l)
        detail::require(lengths[l] > (l == 0 ? 1 : lengths[l - 1]), "calibrated_temperature: lengths", "above 1 and ascending",
                        lengths[l]);
      for (const std::vector<double>& head : factors) {
        detail::require(head.size() == lengths.size(), "calibrated_temperature: factors of a head", "one for each length",
                        head.size());
        for (const double each : head) detail::require_positive("calibrated_temperature: a factor", each);
      }
    }
  };
  std::shared_ptr<const table> table_;
};

LONGSPAN_NAMESPACE_END
