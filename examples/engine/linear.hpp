#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include <Eigen/Core>

#include "../model/matrix.hpp"
#include "team.hpp"
#include "weights.hpp"

namespace engine {

using model::Matrix;  // a row for each token

// The product of a row of weights with one of inputs, in 16 sums.
template <class Number>
float dot(const Number* weights, const float* x, index_t count) {
  eight sums[2] = {};
  for (index_t c = 0; c < count; c += 16)
    for (int half = 0; half < 2; ++half) {
      eight weight, input;
      widen(weights + c + 8 * half, weight), widen(x + c + 8 * half, input);
      sums[half] += weight * input;
    }
  sums[0] += sums[1];
  float sum = 0;
  for (int lane = 0; lane < 8; ++lane) sum += sums[0][lane];
  return sum;
}

// y = x W' + b, W being (out, in) as Hugging Face ships it, or several of them whose outputs stand side by side. One row of x reads each
// weight once, at the speed of memory; many are a matrix product, whose weights of 16 bits are widened a block at a time.
class linear {
 public:
  linear() = default;
  linear(const weights& from, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      const stored& part = parts_.emplace_back(from[name + ".weight"]);
      if (part.columns % 16 != 0) throw std::runtime_error(name + ": inputs must be a multiple of 16");
      outputs_ += part.rows;
      if (!from.has(name + ".bias")) continue;
      bias_.resize(std::size_t(outputs_));
      from[name + ".bias"].read(0, part.rows, bias_.data() + outputs_ - part.rows);
    }
    if (!bias_.empty()) bias_.resize(std::size_t(outputs_));
  }

  Matrix operator()(const team& threads, const Eigen::Ref<const Matrix>& x) const {
    Matrix y(x.rows(), outputs_);
    const index_t block = x.rows() == 1 ? 64 : std::clamp<index_t>(outputs_ / threads.threads(), 16, 256);
    struct piece {
      const stored& of;
      index_t first, to;
    };
    std::vector<piece> pieces;
    for (index_t to = 0; const stored& of : parts_) {
      for (index_t first = 0; first < of.rows; first += block) pieces.push_back({of, first, to + first});
      to += of.rows;
    }
    threads.share(index_t(pieces.size()), [&](index_t item) {
      const auto& [of, first, to] = pieces[std::size_t(item)];
      multiply(of, first, std::min(block, of.rows - first), x, y, to);
    });
    if (!bias_.empty()) y.rowwise() += Eigen::Map<const Eigen::RowVectorXf>(bias_.data(), outputs_);
    return y;
  }

 private:
  // Columns of y from `to` on: the products with some rows of weights.
  static void multiply(const stored& of, index_t first, index_t count, const Eigen::Ref<const Matrix>& x, Matrix& y, index_t to) {
    if (x.rows() == 1) {
      of.visit([&](const auto* from) {
        for (index_t out = 0; out < count; ++out) y(0, to + out) = dot(from + (first + out) * of.columns, x.data(), of.columns);
      });
    } else if (of.bfloat16) {
      Matrix wide(count, of.columns);
      of.read(first, count, wide.data());
      y.middleCols(to, count).noalias() = x * wide.transpose();
    } else {
      const float* const from = static_cast<const float*>(of.data) + first * of.columns;
      y.middleCols(to, count).noalias() = x * Eigen::Map<const Matrix>(from, count, of.columns).transpose();
    }
  }

  std::vector<stored> parts_;
  index_t outputs_ = 0;
  std::vector<float> bias_;
};

}  // namespace engine
