#pragma once

#include <functional>
#include <span>

#include <Eigen/Core>

// A transformer in plain C++ over Eigen and longspan, small enough to be read at one sitting: a layer is a function of rows that
// returns what it made and its own way back.
namespace model {

using Eigen::Index;
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;  // a row for each token
using Vector = Eigen::VectorXf;
using Bytes = std::span<const unsigned char>;

// What a layer makes: its output, and the way back from the gradient of the output to that of the input. On the way the gradients of
// the layer's own parameters are added to `gradients`.
struct passed {
  Matrix output;
  std::function<Matrix(const Matrix& d_output, Vector& gradients)> back;
};

}  // namespace model
