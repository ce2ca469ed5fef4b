#pragma once

#include <utility>

#include "layer.hpp"

namespace model {

// Multi-head attention: the projections to queries, keys and values stand side by side in one matrix, as do their rows.
// A mechanism may learn a number for each head, as SSMax does: they start where Figure 1 of arXiv 2505.17083 puts its c.
struct self_attention {
  Index heads, channels;
  weights to_heads, from_heads, numbers;

  self_attention(parameters& plan, Index width, Index head_count, Index head_channels, double gain)
      : heads(head_count),
        channels(head_channels),
        to_heads(plan.matrix(width, 3 * heads * channels)),
        from_heads(plan.matrix(heads * channels, width, gain)),
        numbers(plan.row(heads, 0.4)) {}

  passed operator()(const context& with, Matrix x) const {
    Matrix rows = x * to_heads.of(with.parameters), output(x.rows(), heads * channels), sums(x.rows(), heads);
    const auto part = [n = with.length, h = heads, c = channels](Matrix& of, Index nth) {
      return heads_of(of, n, h, c, nth * h * c);
    };
    const auto logs = [n = with.length, h = heads](Matrix& of) { return heads_of(of, n, h, 1); };
    const auto inputs = [=, *this, &p = with.parameters](Matrix& of) {
      return attention::inputs{part(of, 0), part(of, 1), part(of, 2), numbers.numbers_of(p)};
    };
    with.mechanism.forward(inputs(rows), {part(output, 0), logs(sums)});
    Matrix y = output * from_heads.of(with.parameters);

    return {std::move(y), [*this, part, logs, inputs, x = std::move(x), rows = std::move(rows), output = std::move(output),
                           sums = std::move(sums), &p = with.parameters,
                           &mechanism = with.mechanism](const Matrix& d_y, Vector& gradients) mutable {
              from_heads.of(gradients).noalias() += output.transpose() * d_y;
              Matrix d_output = d_y * from_heads.of(p).transpose(), d_rows(rows.rows(), rows.cols());
              mechanism.backward(inputs(rows), {part(output, 0), logs(sums)}, part(d_output, 0),
                                 {part(d_rows, 0), part(d_rows, 1), part(d_rows, 2), numbers.numbers_of(gradients)});
              to_heads.of(gradients).noalias() += x.transpose() * d_rows;
              return Matrix(d_rows * to_heads.of(p).transpose());
            }};
  }
};

}  // namespace model
