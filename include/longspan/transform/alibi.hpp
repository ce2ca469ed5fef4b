#pragma once

#include <cmath>
#include <optional>
#include <tuple>

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/parameter/per_head.hpp>
#include <longspan/transform/concept.hpp>
#include <longspan/transform/distances_to.hpp>

LONGSPAN_NAMESPACE_BEGIN

// ALiBi: z = s - slope_h |t| (arXiv 2108.12409). The slopes are the paper's unless given: 2^(-8 h / H), h = 1 .. H, for H a power
// of two; otherwise those of P = 2^floor(log2 H), then every other one of 2P from its first. Keys after the query count their
// distance too, as in bidirectional models. Throws std::invalid_argument where a given list does not fit the heads.
struct alibi {
  std::optional<per_head> slopes = {};

  static double slope(index_t head, index_t heads) {
    index_t power = 1;
    while (2 * power <= heads) power *= 2;
    const double step = head < power ? double(head + 1) / double(power) : double(2 * (head - power) + 1) / double(2 * power);
    return std::exp2(-8 * step);
  }

  auto operator()(const query_row& row) const {
    return [slope = slopes ? (*slopes)[row.head] : learned(slope(row.head, row.heads))](const auto& logit, const auto& keys) {
      using std::abs;
      return logit - slope * abs(keys.distance());
    };
  }
  auto at_most(const query_row& row) const {
    return [row = row, slope = slopes ? (*slopes)[row.head].value : slope(row.head, row.heads)](double score, interval keys) {
      const auto [nearest, farthest] = detail::distances_to(row, keys);
      return score - slope * double(slope >= 0 ? nearest : farthest);
    };
  }
  auto parameters() { return std::tie(slopes); }
  auto parameters() const { return std::tie(slopes); }

  void check(const shapes& lengths) const {
    if (slopes) slopes->check("alibi: slopes", lengths.heads);
  }
};

LONGSPAN_NAMESPACE_END
