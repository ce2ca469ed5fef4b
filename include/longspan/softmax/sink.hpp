#pragma once

#include <tuple>

#include <longspan/core/shapes.hpp>
#include <longspan/parameter/per_head.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Sink: one more logit b_h in the softmax's sum, whose column is dropped, so that a head may attend to nothing (gpt-oss). b = 0
// is "softmax off by one". Ends a mechanism. Of parts of the keys, the one that holds the first key that a row sees in the whole counts
// it (key 0 where the row sees none): a cache that keeps what a window sees loses nothing, and parts still merge. A row that sees nothing
// has the output 0 and the sink's logit as its log_sum_exp. Throws std::invalid_argument where a list does not fit the heads or a logit
// is not finite.
struct sink {
  per_head logit = 0.0;

  auto parameters() { return std::tie(logit); }
  auto parameters() const { return std::tie(logit); }
  void check(const shapes& lengths) const { logit.check("sink: logit", lengths.heads); }
};

LONGSPAN_NAMESPACE_END
