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

// The products of a row of inputs with some rows of weights, in 8 sums each. Rows that lie far apart are as many streams: of a mapped file
// one core reads four at 18 to 20 GB/s, and one at 12 (Emerald Rapids); eight keep as many bytes of 16-bit weights on their way.
constexpr std::size_t streams = 8;
template <class Number>
std::array<float, streams> dots(const std::array<const Number*, streams>& weights, const float* x, index_t count) {
  eight sums[streams] = {}, weight, input;
  for (index_t c = 0; c < count; c += 8) {
    widen(x + c, input);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < streams; ++r) widen(weights[r] + c, weight), sums[r] += weight * input;
  }
  std::array<float, streams> products{};
#pragma GCC unroll 8
  for (std::size_t r = 0; r < streams; ++r)
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
    const index_t block = x.rows() == 1 ? 128 : std::clamp<index_t>(outputs_ / threads.threads(), 16, 256);
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
        const index_t apart = (count + index_t(streams) - 1) / index_t(streams);  // outputs of a stream; the last may overlap
        for (index_t out = 0; out < apart; ++out) {
          std::array<index_t, streams> row;
          std::array<const Number*, streams> at;
          for (std::size_t r = 0; r < streams; ++r)
            row[r] = std::min(index_t(r) * apart, count - apart) + out, at[r] = from + (first + row[r]) * of.columns;
          const auto products = dots(at, x.data(), of.columns);
          for (std::size_t r = 0; r < streams; ++r) y(0, to + row[r]) = products[r];
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
