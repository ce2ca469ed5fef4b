#pragma once

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <vector>

#include <Eigen/Core>

#include "../model/matrix.hpp"
#include "team.hpp"
#include "weights.hpp"

namespace engine {

using model::Matrix;  // a row for each token

// The products of one row of inputs with some rows of weights that lie `apart` numbers from each other, in 16 sums each.
template <int rows, class Number>
std::array<float, rows> dots(const Number* weights, index_t apart, const float* x, index_t count) {
  sixteen sums[rows] = {};
  for (index_t c = 0; c < count; c += 16) {
    sixteen input, weight;
    widen(x + c, input), from_order(weights, input);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      widen(weights + r * apart + c, weight);
      sums[r][0] += weight[0] * input[0], sums[r][1] += weight[1] * input[1];
    }
  }
  std::array<float, rows> products{};
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
    const eight sum = sums[r][0] + sums[r][1];
    for (int lane = 0; lane < 8; ++lane) products[std::size_t(r)] += sum[lane];
  }
  return products;
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
    const index_t block = x.rows() == 1 ? 64 : std::clamp<index_t>(outputs_ / threads.threads(), 16, 512);
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
      // Four rows at once, far apart: one core reads four streams at 18 to 20 GB/s, and one at 12 (Emerald Rapids, from a mapped file).
      constexpr index_t streams = 4;
      const index_t together = count / streams;
      of.visit([&](const auto* from) {
        from += first * of.columns;
        for (index_t out = 0; out < together; ++out) {
          const auto products = dots<streams>(from + out * of.columns, together * of.columns, x.data(), of.columns);
          for (index_t s = 0; s < streams; ++s) y(0, to + out + s * together) = products[std::size_t(s)];
        }
        for (index_t out = streams * together; out < count; ++out)
          y(0, to + out) = dots<1>(from + out * of.columns, 0, x.data(), of.columns)[0];
      });
    } else if (of.bfloat16) {
      static thread_local std::vector<float> wide;  // kept, as a block is large enough to be mapped anew each time
      wide.resize(std::max(wide.size(), std::size_t(count * of.columns)));
      of.read(first, count, wide.data());
      y.middleCols(to, count).noalias() = x * Eigen::Map<const Matrix>(wide.data(), count, of.columns).transpose();
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
