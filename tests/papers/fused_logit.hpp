#pragma once

#include <longspan/longspan.hpp>

#include "support/tensors.hpp"

namespace testing_support {

// One key of a long text, alone in its call: `keys` tokens stand in the whole, the query is the last of them, and the key is `distance`
// tokens before it. The query is 1 in one channel, the key is the score there, and both are 0 elsewhere.
struct lone_key {
  double score = 1;
  longspan::index_t distance = 0, keys = 1;
  longspan::index_t head = 0, heads = 1;
  longspan::index_t channel = 0, channels = 2;
};

// The logit that the fused kernel makes of a score: the log-sum-exp of a row that sees one key is that key's logit.
template <class... Parts>
double fused_logit(const longspan::mechanism<Parts...>& whole, const lone_key& at) {
  tensor<double> q(1, at.heads, 1, at.channels), k(1, 1, 1, at.channels), v(1, 1, 1, 1);
  q.setZero(), k.setZero(), v.setZero();
  for (longspan::index_t h = 0; h < at.heads; ++h) q(0, h, 0, at.channel) = 1;
  k(0, 0, 0, at.channel) = at.score;
  return forward(whole, q, k, v, {.first_query = at.keys - 1, .first_key = at.keys - 1 - at.distance, .all_keys = at.keys})
      .log_sum_exp(0, at.head, 0);
}

}  // namespace testing_support
