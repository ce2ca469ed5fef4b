#pragma once

#include <functional>
#include <utility>

#include "attention.hpp"
#include "matrix.hpp"
#include "parameters.hpp"

namespace model {

// What every layer is told of a pass. The rows are those of sequences of `length` tokens, one after the other.
struct context {
  const Vector& parameters;
  const attention& mechanism;
  Index length;
};

using layer = std::function<passed(const context&, Matrix)>;

// RMSNorm: y = gain x / rms(x), row by row (arXiv 1910.07467).
struct rms_norm {
  weights gain;
  rms_norm(parameters& plan, Index width) : gain(plan.row(width, 1)) {}

  passed operator()(const context& with, Matrix x) const {
    const Vector shrink =
        (x.rowwise().squaredNorm() / float(x.cols()) + Vector::Constant(x.rows(), 1e-6f)).cwiseSqrt().cwiseInverse();
    x.array().colwise() *= shrink.array();
    Matrix y = x.array().rowwise() * gain.of(with.parameters).row(0).array();
    return {std::move(y), [x = std::move(x), shrink, gain = gain, &p = with.parameters](const Matrix& d_y, Vector& gradients) {
              gain.of(gradients) += d_y.cwiseProduct(x).colwise().sum();
              Matrix d_x = d_y.array().rowwise() * gain.of(p).row(0).array();
              const Vector along = d_x.cwiseProduct(x).rowwise().sum() / float(x.cols());
              d_x.array() -= x.array().colwise() * along.array();
              d_x.array().colwise() *= shrink.array();
              return d_x;
            }};
  }
};

// x + inner(norm(x)): the pre-norm residual block.
struct residual {
  rms_norm norm;
  layer inner;

  passed operator()(const context& with, Matrix x) const {
    auto [normed, norm_back] = norm(with, x);
    auto [y, inner_back] = inner(with, std::move(normed));
    y += x;
    return {std::move(y), [first = std::move(norm_back), second = std::move(inner_back)](const Matrix& d_y, Vector& gradients) {
              return Matrix(d_y + first(second(d_y, gradients), gradients));
            }};
  }
};

}  // namespace model
