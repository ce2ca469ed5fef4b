#pragma once

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include <Eigen/Core>

#include "../model/matrix.hpp"
#include "team.hpp"
#include "weights.hpp"

namespace engine {

using model::Matrix;  // a row for each token

// The products of a row of inputs with four rows of weights, in 8 sums each. Four that lie far apart are four streams: one core reads them
// at 18 to 20 GB/s, and one stream at 12 (Emerald Rapids, from a mapped file).
template <class Number>
std::array<float, 4> dots(const std::array<const Number*, 4>& weights, const float* x, index_t count) {
  eight sums[4] = {}, weight, input;
  for (index_t c = 0; c < count; c += 8) {
    widen(x + c, input);
#pragma GCC unroll 4
    for (std::size_t r = 0; r < 4; ++r) widen(weights[r] + c, weight), sums[r] += weight * input;
  }
  std::array<float, 4> products{};
#pragma GCC unroll 4
  for (std::size_t r = 0; r < 4; ++r)
    for (int lane = 0; lane < 8; ++lane) products[r] += sums[r][lane];
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
      if (part.columns % 8 != 0) throw std::runtime_error(name + ": inputs must be a multiple of 8");
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
    std::vector<std::tuple<const stored&, index_t, index_t>> pieces;  // of whose rows, from which on, for which outputs
    for (index_t to = 0; const stored& of : parts_) {
      for (index_t first = 0; first < of.rows; first += block) pieces.emplace_back(of, first, to + first);
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
      of.visit([&]<class Number>(const Number* from) {
        const index_t quarter = (count + 3) / 4;  // of the outputs; the last may overlap
        for (index_t out = 0; out < quarter; ++out) {
          std::array<index_t, 4> row;
          std::array<const Number*, 4> at;
          for (std::size_t r = 0; r < 4; ++r)
            row[r] = std::min(index_t(r) * quarter, count - quarter) + out, at[r] = from + (first + row[r]) * of.columns;
          const auto products = dots(at, x.data(), of.columns);
          for (std::size_t r = 0; r < 4; ++r) y(0, to + row[r]) = products[r];
        }
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
