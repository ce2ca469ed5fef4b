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
  explicit decode_slots(index_t width) : width_(width) {}

  // Bytes that one head takes.
  static index_t bytes(index_t tiles, index_t rows, index_t width) {
    return tiles * rows * (width * index_t(sizeof(T)) + index_t(sizeof(softmax_part<T>)));
  }

  // Makes room for other heads, one after the other.
  void clear() { heads_.clear(), parts_.clear(), outputs_.clear(); }
  void add(index_t tiles, index_t rows) {
    heads_.push_back({index_t(parts_.size()), rows});
    parts_.resize(parts_.size() + std::size_t(tiles * rows));
    outputs_.resize(parts_.size() * std::size_t(width_));
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
  // Where the parts of a head begin, and how many a tile of it has.
  struct of_head {
    index_t first, rows;
  };
  index_t number(index_t head, index_t tile, index_t row) const {
    const of_head& own = heads_[std::size_t(head)];
    return own.first + tile * own.rows + row;
  }

  index_t width_;
  buffer<of_head> heads_;
  buffer<softmax_part<T>> parts_;
  buffer<T> outputs_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
