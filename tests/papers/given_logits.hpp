#pragma once

#include <longspan/longspan.hpp>

#include "papers/sample.hpp"
#include "support/bound_of.hpp"
#include "support/tensors.hpp"

namespace testing_support {

// Independent standard normal base logits for the last query of many texts, one for each of the distances first <= t < last. With one
// channel, a query of 1 and a scale of 1, a key is its own base logit.
struct given_logits {
  longspan::interval distances;
  tensor<float> keys;

  given_logits(longspan::interval distances_, longspan::index_t texts, unsigned seed)
      : distances(distances_), keys(normal<float>(texts, 1, distances_.size(), 1, seed)) {}
};

// What attention makes of a range of distances: the entropy within the range, and the weight of its last 100 tokens.
struct range_statistics {
  sample entropy, near;
};

// H = log sum exp z - E z by one fused call: the values are the logits z themselves and the mark of the last 100 tokens. z is read off
// the mechanism's definition, which is a s + m at each distance here; the kernel makes its own.
template <class... Parts>
range_statistics attend(const longspan::mechanism<Parts...>& whole, const given_logits& given, longspan::interval range) {
  using namespace longspan;
  using namespace longspan::detail;
  const index_t texts = given.keys.dimension(0), stride = given.keys.dimension(2), count = range.size(),
                tokens = given.distances.last;
  tensor<float> q(texts, 1, 1, 1), v(texts, 1, count, 2);
  q.setConstant(1);
  const view<const float> keys{
      given.keys.data() + given.distances.last - range.last, {texts, 1, count, 1}, {stride, stride, 1, 1}};
  const placement where{.first_query = tokens - 1, .first_key = tokens - range.last, .all_keys = tokens};
  const auto bound = bound_of(whole, checked(view_of(q), keys, view_of(v), where));
  const query_row row = bound.row(0, 0);
  const auto transform = bound.transforms.of_scores(row);
  for (index_t k = 0; k < count; ++k) {
    const keys_under<double> key{where.first_key + k, row.position};
    const double shift = transform(0.0, key), scale = transform(1.0, key) - shift;
    for (index_t b = 0; b < texts; ++b) {
      v(b, 0, k, 0) = float(scale * double(keys.data[b * stride + k]) + shift);
      v(b, 0, k, 1) = key.distance() < 100 ? 1 : 0;
    }
  }
  const auto attended = forward(whole, q, keys, v, where);
  range_statistics found;
  for (index_t b = 0; b < texts; ++b) {
    found.entropy.numbers.push_back(double(attended.log_sum_exp(b, 0, 0)) - double(attended.output(b, 0, 0, 0)));
    found.near.numbers.push_back(attended.output(b, 0, 0, 1));
  }
  return found;
}

}  // namespace testing_support
