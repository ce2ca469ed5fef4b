#pragma once

#include <longspan/tensor/view.hpp>

#include "matrix.hpp"

namespace model {

// The heads of a batch of sequences, (batch, head, token, channel), that stand side by side in a matrix with a row for each token.
inline longspan::view<float> heads_of(Matrix& rows, Index length, Index heads, Index channels, Index first_column = 0) {
  const Index width = rows.cols();
  return {rows.data() + first_column, {rows.rows() / length, heads, length, channels}, {length * width, channels, width, 1}};
}

}  // namespace model
