#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <Eigen/Core>

#include "peer.hpp"

using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using matrix_map = Eigen::Map<matrix>;
using const_matrix_map = Eigen::Map<const matrix>;

// The softmax of each row, with Eigen's vectorised exp.
inline void softmax_rows(matrix_map weights) {
  for (Eigen::Index i = 0; i < weights.rows(); ++i) {
    auto row = weights.row(i).array();
    row = (row - row.maxCoeff()).exp();
    row *= 1 / row.sum();
  }
}

// Attention as three calls to a library: scores, softmax, weighted values. 256 query rows at a time, which keeps the scores in L2
// at short lengths and lets causal work skip most of what it would hide. A library has
//   scores(q, k, s): s = q k', softmax(s): by rows in place, output(s, v, o): o = s v
template <class Library>
class unfused : public peer {
 public:
  explicit unfused(const peer_task& task)
      : task_(task),
        scores_(std::size_t(rows_at_once * task.tokens)),
        output_(std::size_t(task.heads * task.tokens * task.channels)) {}

  void attend() override {
    for (long h = 0; h < task_.heads; ++h)
      for (long first = 0; first < task_.tokens; first += rows_at_once)
        attend(h, first, std::min(rows_at_once, task_.tokens - first));
  }
  const float* output() override { return output_.data(); }

 private:
  static constexpr long rows_at_once = 256;

  void attend(long h, long first, long rows) {
    const long d = task_.channels, head = h * task_.tokens * d, keys = task_.causal ? first + rows : task_.tokens;
    const matrix_map s(scores_.data(), rows, keys);
    library_.scores(const_matrix_map(task_.q + head + first * d, rows, d), const_matrix_map(task_.k + head, keys, d), s,
                    1 / std::sqrt(float(d)));
    if (task_.causal) hide_future(s, first);
    library_.softmax(s);
    library_.output(s, const_matrix_map(task_.v + head, keys, d), matrix_map(output_.data() + head + first * d, rows, d));
  }

  static void hide_future(matrix_map s, long first) {
    for (Eigen::Index i = 0; i < s.rows(); ++i)
      s.row(i).tail(s.cols() - first - i - 1).setConstant(-std::numeric_limits<float>::infinity());
  }

  peer_task task_;
  Library library_;
  std::vector<float> scores_, output_;
};
