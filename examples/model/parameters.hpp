#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "matrix.hpp"

namespace model {

// Where a weight matrix stands among all parameters of a model, which are one vector: so are their gradients and the moments of the
// optimiser, and a checkpoint is those vectors.
struct weights {
  Index first = 0, rows = 0, columns = 0;

  auto of(const Vector& all) const { return Eigen::Map<const Matrix>(all.data() + first, rows, columns); }
  auto of(Vector& all) const { return Eigen::Map<Matrix>(all.data() + first, rows, columns); }
  auto numbers_of(auto& all) const { return std::span(all.data() + first, std::size_t(rows * columns)); }
};

// The plan of a model's parameters: layers ask for theirs in turn.
class parameters {
 public:
  // Starts normally distributed, small enough that a row of `rows` numbers of size one makes numbers of the size of `gain`.
  weights matrix(Index rows, Index columns, double gain = 1) { return add(rows, columns, 0, gain / std::sqrt(double(rows))); }
  // A number for each channel, around `start`. Weight decay leaves them alone.
  weights row(Index columns, double start, double deviation = 0) { return add(1, columns, start, deviation); }

  Index size() const { return size_; }

  Vector initial(std::uint64_t seed) const {
    std::mt19937_64 source(seed);
    std::normal_distribution<float> normal;
    Vector all(size_);
    for (const auto& [place, mean, deviation] : planned_) {
      const auto drawn = [&normal, &source, mean = float(mean), deviation = float(deviation)] {
        return mean + deviation * normal(source);
      };
      place.of(all) = Matrix::NullaryExpr(place.rows, place.columns, drawn);
    }
    return all;
  }

  // One where weight decay acts, zero elsewhere.
  Vector decayed() const {
    Vector mask = Vector::Zero(size_);
    for (const auto& each : planned_)
      if (each.place.rows > 1) each.place.of(mask).setOnes();
    return mask;
  }

 private:
  struct plan {
    weights place;
    double mean, deviation;
  };

  weights add(Index rows, Index columns, double mean, double deviation) {
    planned_.push_back({{size_, rows, columns}, mean, deviation});
    size_ += rows * columns;
    return planned_.back().place;
  }

  std::vector<plan> planned_;
  Index size_ = 0;
};

}  // namespace model
