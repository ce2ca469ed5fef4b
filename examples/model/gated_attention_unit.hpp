#pragma once

#include <utility>

#include "feed_forward.hpp"
#include "layer.hpp"

namespace model {

// The gated attention unit (arXiv 2202.10447), as in GAU-alpha: one head, whose queries and keys are one projection Z = silu(x Wz) with
// scales of their own, and whose output is gated by U = silu(x Wu): y = (U * A V) Wo, V = silu(x Wv). Takes the place of attention and
// feed-forward layer together. U, V and Z are made by one product.
struct gated_attention_unit {
  Index hidden, channels;
  weights to_all, query_scale, key_scale, output, numbers;

  gated_attention_unit(parameters& plan, Index width, Index hidden_width, Index head_channels, double gain)
      : hidden(hidden_width),
        channels(head_channels),
        to_all(plan.matrix(width, 2 * hidden + channels)),
        query_scale(plan.row(channels, 0, 1)),  // were they alike, a token would see itself alone
        key_scale(plan.row(channels, 0, 1)),
        output(plan.matrix(hidden, width, gain)),
        numbers(plan.row(1, 0.4)) {}

  passed operator()(const context& with, Matrix x) const {
    const Vector& p = with.parameters;
    const auto z = [c = channels](Matrix& of) { return of.rightCols(c); };
    Matrix before = x * to_all.of(p), all = silu(before);
    Matrix q = z(all).array().rowwise() * query_scale.of(p).row(0).array();
    Matrix k = z(all).array().rowwise() * key_scale.of(p).row(0).array();
    Matrix seen(x.rows(), hidden), sums(x.rows(), 1);
    const auto head = [n = with.length](Matrix& of) { return heads_of(of, n, 1, of.cols()); };
    const auto values = [n = with.length, e = hidden](Matrix& of) { return heads_of(of, n, 1, e, e); };
    with.mechanism.forward({head(q), head(k), values(all), numbers.numbers_of(p)}, {head(seen), head(sums)});
    Matrix gated = all.leftCols(hidden).cwiseProduct(seen), y = gated * output.of(p);

    return {
        std::move(y), [*this, z, head, values, x = std::move(x), before = std::move(before), all = std::move(all),
                       q = std::move(q), k = std::move(k), seen = std::move(seen), sums = std::move(sums),
                       gated = std::move(gated), &p, &mechanism = with.mechanism](const Matrix& d_y, Vector& gradients) mutable {
          output.of(gradients).noalias() += gated.transpose() * d_y;
          const Matrix d_gated = d_y * output.of(p).transpose();
          Matrix d_seen = d_gated.cwiseProduct(all.leftCols(hidden)), d_all(all.rows(), all.cols());
          Matrix d_q(q.rows(), channels), d_k(k.rows(), channels);
          mechanism.backward({head(q), head(k), values(all), numbers.numbers_of(p)}, {head(seen), head(sums)}, head(d_seen),
                             {head(d_q), head(d_k), values(d_all), numbers.numbers_of(gradients)});
          d_all.leftCols(hidden) = d_gated.cwiseProduct(seen);
          z(d_all) =
              d_q.array().rowwise() * query_scale.of(p).row(0).array() + d_k.array().rowwise() * key_scale.of(p).row(0).array();
          query_scale.of(gradients) += d_q.cwiseProduct(z(all)).colwise().sum();
          key_scale.of(gradients) += d_k.cwiseProduct(z(all)).colwise().sum();
          d_all = d_all.cwiseProduct(silu_slope(before));
          to_all.of(gradients).noalias() += x.transpose() * d_all;
          return Matrix(d_all * to_all.of(p).transpose());
        }};
  }
};

}  // namespace model
