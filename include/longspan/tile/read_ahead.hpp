#pragma once

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
  static constexpr index_t line = 64 / index_t(sizeof(T));

 public:
  read_ahead(const memory_rows<T>& near, const memory_rows<T>& far, index_t width) : near_(near), far_(far), width_(width) {}

  // As many numbers as are read meanwhile.
  void ask(index_t numbers) {
    for (index_t asked = 0; asked < numbers; asked += line) {
      __builtin_prefetch(near_.data + column_);
      if (asked / line % 4 == 0) __builtin_prefetch(far_.data + column_, 0, 2);
      column_ += line;
      if (column_ >= width_) column_ = 0, near_.data += near_.stride, far_.data += far_.stride;
    }
  }

 private:
  memory_rows<T> near_, far_;
  index_t width_, column_ = 0;
};

}  // namespace longspan::inline LONGSPAN_ISA
