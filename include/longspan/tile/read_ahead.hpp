#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Rows in memory, in bytes. An address and not a pointer: rows are prefetched, never dereferenced.
struct memory_rows {
  std::intptr_t address = 0;
  index_t stride = 0, width = 0, count = 0;
};

// Prefetches memory that will be read soon, a constant distance ahead of the reader: the first ask(bytes) sets the distance
// (asked_ahead in tile/shape.hpp), every later one prefetches as many bytes as the caller reads meanwhile. Cache lines are prefetched in
// the order of their addresses, because hardware prefetchers follow no other: one core then reads at 83 to 90 % of its bandwidth while it
// multiplies. Without, a product of transposed squares (multiply_transposed.hpp), which reads down a column of cache lines, reaches 35 %,
// and one that reads row by row 43 %.
class read_ahead {
  static constexpr index_t line = 64;

 public:
  // In this order.
  template <std::same_as<memory_rows>... Rows>
  explicit read_ahead(const Rows&... rows) : parts_{rows...} {}

  void ask(index_t bytes) {
    walk(bytes, [](std::intptr_t at) { __builtin_prefetch(reinterpret_cast<const void*>(at)); });
  }

  // The same where the reader computes more than it reads: within a row a loop as short as can be. A reader that memory limits is better
  // off with ask: one query reads 84 % of the bandwidth with this, 92 with that. One instruction asks for all lines, because hardware
  // prefetchers tell streams apart by it: unrolled, keys and values come at 28 GB/s instead of 37 (Zen 5).
  void ask_quickly(index_t bytes) {
    if (end_ - at_ < bytes) return ask(bytes);
#pragma GCC unroll 1
    for (const std::intptr_t last = at_ + bytes; at_ < last; at_ += line) __builtin_prefetch(reinterpret_cast<const void*>(at_));
  }

  // Calls visit(address) for every cache line of the next bytes, but for a line that was visited already. Bytes are counted from the
  // beginning of a row's first line: alignment costs once a row, not once a line.
  template <class Visit>
  void walk(index_t bytes, Visit visit) {
    while (bytes > 0) {
      while (at_ >= end_) {
        if (!next_row()) return;
        bytes += at_ & (line - 1);
        at_ &= -line;
      }
      visit(at_);
      bytes -= std::min(line, end_ - at_);
      at_ += line;
    }
  }

 private:
  // Rows that follow each other without gaps count as one.
  bool next_row() {
    while (part_ < parts_.size() && (parts_[part_].count <= 0 || parts_[part_].width <= 0)) ++part_;
    if (part_ == parts_.size()) return false;
    memory_rows& rows = parts_[part_];
    const index_t joined = rows.stride == rows.width ? rows.count : 1;
    at_ = rows.address, end_ = rows.address + joined * rows.width;
    rows.address += joined * rows.stride, rows.count -= joined;
    return true;
  }

  std::array<memory_rows, 3> parts_{};
  std::size_t part_ = 0;
  std::intptr_t at_ = 0, end_ = 0;
};

// For a reader that passes the same bytes several times, such as the register blocks of one product: every so many times it is asked it
// prefetches. Asked for all in the first pass, the memory idles in the others and the first waits for it.
class shared_ahead {
 public:
  shared_ahead(read_ahead& ahead, index_t passes) : ahead_(ahead), passes_(passes), left_(passes) {}

  void ask(index_t bytes) {
    if (--left_ > 0) return;
    left_ = passes_;
    ahead_.ask_quickly(bytes);
  }
  const read_ahead& ahead() const { return ahead_; }

 private:
  read_ahead ahead_;
  index_t passes_, left_;
};

// Prefetches nothing: for operands that are in the caches.
struct nothing_ahead {
  void ask(index_t) {}
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
