#pragma once

#include <algorithm>
#include <cmath>

#include <longspan/core/index.hpp>
#include <longspan/core/require.hpp>

LONGSPAN_NAMESPACE_BEGIN

// T5's buckets of the distance t = i - j (arXiv 1910.10683), for relative_bias{table, t5_buckets{}}: half of them for one distance each,
// the others ever wider, up to `longest`, beyond which all distances share the last. For causal models keys after the query count as t = 0:
//   t for t < e, then min(e + floor((B - e) log(t/e) / log(longest/e)), B - 1), with B = buckets and e = B/2
// Where bidirectional, the first half of the buckets is for keys up to the query and the second for those after it, each as above. A call
// throws std::invalid_argument for fewer than 2 buckets (bidirectional 4) and for a `longest` that is not above e.
struct t5_buckets {
  index_t buckets = 32, longest = 128;
  bool bidirectional = false;

  index_t operator()(index_t t) const {
    const index_t own = of_a_side(), exact = own / 2;
    const index_t first = bidirectional && t < 0 ? own : 0, away = bidirectional && t < 0 ? -t : std::max<index_t>(t, 0);
    if (away < exact) return first + away;
    const double share = std::log(double(away) / double(exact)) / std::log(double(longest) / double(exact));
    return first + std::min(exact + index_t(share * double(own - exact)), own - 1);
  }

  void check() const {
    detail::require(of_a_side() >= 2, "t5_buckets: buckets", bidirectional ? "at least 4" : "at least 2", buckets);
    detail::require(longest > of_a_side() / 2, "t5_buckets: longest", "above the distances that have buckets of their own",
                    longest);
  }
  // Buckets for keys up to the query.
  index_t of_a_side() const { return bidirectional ? buckets / 2 : buckets; }
};

LONGSPAN_NAMESPACE_END
