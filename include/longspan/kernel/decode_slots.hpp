#pragma once

#include <algorithm>
#include <cstddef>

#include <longspan/core/index.hpp>
#include <longspan/softmax/online_softmax.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What the tiles of keys of a decoding wave leave until they are merged: a part for each query row of each tile of each head.
template <class T>
class decode_slots {
 public:
  // `width` numbers of output for each row.
  decode_slots(index_t heads, index_t tiles, index_t rows, index_t width)
      : tiles_(tiles),
        rows_(rows),
        width_(width),
        parts_(std::size_t(heads * tiles * rows)),
        outputs_(parts_.size() * std::size_t(width)) {}

  // Bytes that one head takes.
  static index_t bytes(index_t tiles, index_t rows, index_t width) {
    return tiles * rows * (width * index_t(sizeof(T)) + index_t(sizeof(softmax_part<T>)));
  }

  void put(index_t head, index_t tile, index_t row, const softmax_part<T>& part, const T* output) {
    const index_t n = number(head, tile, row);
    parts_[std::size_t(n)] = part;
    std::copy(output, output + width_, outputs_.data() + n * width_);
  }
  const softmax_part<T>& part(index_t head, index_t tile, index_t row) const {
    return parts_[std::size_t(number(head, tile, row))];
  }
  const T* output(index_t head, index_t tile, index_t row) const { return outputs_.data() + number(head, tile, row) * width_; }

 private:
  index_t number(index_t head, index_t tile, index_t row) const { return (head * tiles_ + tile) * rows_ + row; }

  index_t tiles_, rows_, width_;
  buffer<softmax_part<T>> parts_;
  buffer<T> outputs_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
