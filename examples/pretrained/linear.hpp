#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include <Eigen/Core>

#include "team.hpp"
#include "weights.hpp"

namespace pretrained {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;  // a row for each token
using Rows = Eigen::Map<const Matrix>;

// 16 weights as floats.
inline void widen(const float* from, float* to) { std::copy_n(from, 16, to); }
inline void widen(const std::uint16_t* from, float* to) {
  for (int lane = 0; lane < 16; ++lane) to[lane] = std::bit_cast<float>(std::uint32_t(from[lane]) << 16);
}

// The products of one row of weights with a few rows of inputs, in 16 sums that the compiler keeps in registers.
template <int inputs, class Weight>
void multiply_row(const Weight* weight, const Matrix& x, Matrix& y, index_t out) {
  const index_t columns = x.cols(), whole = columns / 16 * 16;
  std::array<std::array<float, 16>, inputs> sums{};
  for (index_t c = 0; c < whole; c += 16) {
    alignas(64) float wide[16];
    widen(weight + c, wide);
    for (int row = 0; row < inputs; ++row) {
      const float* const from = &x(row, c);
      for (std::size_t lane = 0; lane < 16; ++lane) sums[std::size_t(row)][lane] += wide[lane] * from[lane];
    }
  }
  for (int row = 0; row < inputs; ++row) {
    float sum = Eigen::Map<const Eigen::Array<float, 16, 1>>(sums[std::size_t(row)].data()).sum();
    for (index_t c = whole; c < columns; ++c) sum += float(weight[c]) * x(row, c);
    y(row, out) = sum;
  }
}

// y = x W', W being (out, in) as Hugging Face ships it. One row of x reads each weight once, at the speed of memory; many are a matrix
// product, whose weights of 16 bits are widened a block at a time.
class linear {
 public:
  linear() = default;
  linear(const stored& of) : weight_(of) {}
  linear(const weights& from, const std::string& name) : weight_(from[name + ".weight"]) {
    if (weight_.columns % 16 != 0) throw std::runtime_error(name + ": inputs must be a multiple of 16");
    if (from.has(name + ".bias")) bias_ = from.vector(name + ".bias");
  }

  index_t outputs() const { return weight_.rows; }

  Matrix operator()(const team& threads, const Matrix& x) const {
    Matrix y(x.rows(), weight_.rows);
    if (x.rows() == 1)
      by_rows(threads, x, y);
    else
      by_blocks(threads, x, y);
    if (!bias_.empty()) y.rowwise() += Eigen::Map<const Eigen::RowVectorXf>(bias_.data(), y.cols());
    return y;
  }

  // One row of the weights: what an embedding is.
  void read(index_t row, float* to) const {
    for (index_t c = 0; c < weight_.columns; c += 16)
      weight_.bfloat16 ? widen(bits() + row * weight_.columns + c, to + c) : widen(floats() + row * weight_.columns + c, to + c);
  }

 private:
  const float* floats() const { return static_cast<const float*>(weight_.data); }
  const std::uint16_t* bits() const { return static_cast<const std::uint16_t*>(weight_.data); }

  void by_rows(const team& threads, const Matrix& x, Matrix& y) const {
    constexpr index_t together = 64;
    threads.share((weight_.rows + together - 1) / together, [&](index_t item) {
      for (index_t out = item * together; out < std::min(weight_.rows, (item + 1) * together); ++out)
        weight_.bfloat16 ? multiply_row<1>(bits() + out * weight_.columns, x, y, out)
                         : multiply_row<1>(floats() + out * weight_.columns, x, y, out);
    });
  }

  void by_blocks(const team& threads, const Matrix& x, Matrix& y) const {
    const index_t block = std::clamp<index_t>(weight_.rows / threads.threads(), 16, 256);
    threads.share((weight_.rows + block - 1) / block, [&](index_t item) {
      const index_t first = item * block, count = std::min(block, weight_.rows - first);
      if (!weight_.bfloat16) {
        y.middleCols(first, count).noalias() = x * Rows(floats() + first * weight_.columns, count, weight_.columns).transpose();
        return;
      }
      Matrix wide(count, weight_.columns);
      for (index_t at = 0; at < wide.size(); at += 16) widen(bits() + first * weight_.columns + at, wide.data() + at);
      y.middleCols(first, count).noalias() = x * wide.transpose();
    });
  }

  stored weight_;
  std::vector<float> bias_;
};

}  // namespace pretrained
