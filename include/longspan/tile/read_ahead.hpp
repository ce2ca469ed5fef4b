#pragma once

#include <cstdint>

#include <longspan/core/index.hpp>

namespace longspan::inline LONGSPAN_ISA {

// Rows in memory, a stride apart.
template <class T>
struct memory_rows {
  const T* data;
  index_t stride;
};

// Asks for rows that will be read soon, in the order in which they lie in memory: the caches follow a stream, and no other order. `near`
// is asked for line by line. Of `far`, one line in four brings its neighbours into the second-level cache, and two streams are faster
// than one. A product that reads squares, a column of lines after the other, gets 8 GB/s of memory by itself; with keys near and their
// values far, decoding reads both at 19 to 26 of some 25 GB/s that one core can read without arithmetic.
template <class T>
class read_ahead {
  static constexpr index_t line = 64;

 public:
  read_ahead(const memory_rows<T>& near, const memory_rows<T>& far, index_t width)
      : near_(bytes_of(near)), far_(bytes_of(far)), width_(width * index_t(sizeof(T))) {}

  // As many numbers as are read meanwhile.
  void ask(index_t numbers) {
    for (index_t asked = 0; asked < numbers * index_t(sizeof(T)); asked += line) {
      __builtin_prefetch(reinterpret_cast<const void*>(near_.data + column_));
      if (asked % (4 * line) == 0) __builtin_prefetch(reinterpret_cast<const void*>(far_.data + column_), 0, 2);
      column_ += line;
      if (column_ >= width_) column_ = 0, near_.data += near_.stride, far_.data += far_.stride;
    }
  }

 private:
  // Addresses, not pointers: the rows after the last are nobody's.
  struct addresses {
    std::intptr_t data;
    index_t stride;
  };
  static addresses bytes_of(const memory_rows<T>& rows) {
    return {reinterpret_cast<std::intptr_t>(rows.data), rows.stride * index_t(sizeof(T))};
  }

  addresses near_, far_;
  index_t width_, column_ = 0;
};

}  // namespace longspan::inline LONGSPAN_ISA
