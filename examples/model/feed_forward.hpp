#pragma once

#include <utility>

#include "layer.hpp"

namespace model {

// silu(x) = x sigmoid(x), and its derivative.
inline Matrix silu(const auto& x) { return x.array() * x.array().logistic(); }
inline Matrix silu_slope(const auto& x) {
  const Matrix gate = x.array().logistic();
  return gate.array() * (1 + x.array() * (1 - gate.array()));
}

// SwiGLU: y = (silu(x G) * (x U)) D, G and U side by side (arXiv 2002.05202).
struct feed_forward {
  Index hidden;
  weights up, down;

  feed_forward(parameters& plan, Index width, Index hidden_width, double gain)
      : hidden(hidden_width), up(plan.matrix(width, 2 * hidden)), down(plan.matrix(hidden, width, gain)) {}

  passed operator()(const context& with, Matrix x) const {
    Matrix both = x * up.of(with.parameters), open = silu(both.leftCols(hidden));
    Matrix inner = open.cwiseProduct(both.rightCols(hidden)), y = inner * down.of(with.parameters);
    return {std::move(y), [*this, x = std::move(x), both = std::move(both), open = std::move(open), inner = std::move(inner),
                           &p = with.parameters](const Matrix& d_y, Vector& gradients) {
              down.of(gradients).noalias() += inner.transpose() * d_y;
              const Matrix d_inner = d_y * down.of(p).transpose();
              Matrix d_both(both.rows(), both.cols());
              d_both.leftCols(hidden) =
                  d_inner.cwiseProduct(both.rightCols(hidden)).cwiseProduct(silu_slope(both.leftCols(hidden)));
              d_both.rightCols(hidden) = d_inner.cwiseProduct(open);
              up.of(gradients).noalias() += x.transpose() * d_both;
              return Matrix(d_both * up.of(p).transpose());
            }};
  }
};

}  // namespace model
