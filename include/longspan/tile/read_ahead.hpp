#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

#include <longspan/core/index.hpp>
#include <longspan/tile/shape.hpp>

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
// and one that reads row by row 43 %. Where the processor wants several streams (prefetched_streams in tile/shape.hpp) they go side by side
// through the parts of a window, further ahead by what the last of them is asked before the first.
class read_ahead {
  static constexpr index_t line = 64, streams = prefetched_streams;

 public:
  read_ahead() = default;
  // In this order. They stay where they are as long as this is asked.
  explicit read_ahead(std::span<const memory_rows> parts, bool in_streams = prefers_streams())
      : parts_(parts), in_streams_(in_streams), owed_(in_streams ? prefetched_window / streams * (streams - 1) : 0) {}

  [[gnu::always_inline]] void ask(index_t bytes) {
    walk(bytes, [](std::intptr_t at, auto in_streams) {
      constexpr int level = in_streams ? 2 : 3;  // a window is most of an L1
      __builtin_prefetch(reinterpret_cast<const void*>(at), 0, level);
      asm volatile("");  // g++ drops calls of a function that does nothing but prefetch
    });
  }

  // The same where the reader computes more than it reads: within a row a loop as short as can be. A reader that memory limits is better
  // off with ask: one query reads 84 % of the bandwidth with this, 92 with that. One instruction asks for all lines, because hardware
  // prefetchers tell streams apart by it: unrolled, keys and values come at 28 GB/s instead of 37 (Zen 5).
  void ask_quickly(index_t bytes) {
    if (apart_ > 0 || end_ - at_ < bytes) return ask(bytes);
#pragma GCC unroll 1
    for (const std::intptr_t last = at_ + bytes; at_ < last; at_ += line) __builtin_prefetch(reinterpret_cast<const void*>(at_));
  }

  // Calls visit(address, whether in a window of streams) for every cache line of the next bytes, but for a line that was visited already.
  // Bytes are counted from the beginning of a row's first line: alignment costs once a row, not once a line. Inlined, but for what
  // happens once a window: a product that calls a function keeps all its sums in memory meanwhile. One query reads an L2 10 to 14 % faster
  // so, eight 8 %.
  template <class Visit>
  [[gnu::always_inline]] void walk(index_t bytes, Visit visit) {
    for (owed_ += bytes; owed_ > 0; at_ += line) {
      while (at_ >= end_) [[unlikely]]
        if (!next_window()) return;
      if (apart_ == 0) {
        visit(at_, std::false_type{});
        owed_ -= std::min(line, end_ - at_);
      } else {
#pragma GCC unroll 4
        for (index_t s = 0; s < streams; ++s) visit(at_ + s * apart_, std::true_type{});
        owed_ -= streams * line;
      }
    }
  }

 private:
  // What is left of a row behind a window, and then the next row: a window for all streams if it is long enough, else for one.
  [[gnu::noinline, gnu::cold]] bool next_window() {
    if (apart_ > 0) {
      at_ += (streams - 1) * apart_, end_ = row_end_, apart_ = 0;
    } else {
      if (!next_row()) return false;
      row_end_ = end_;
      owed_ += at_ & (line - 1);
      at_ &= -line;
    }
    const index_t window = std::min(end_ - at_, prefetched_window);
    if (in_streams_ && window >= least_window) {
      apart_ = window / (streams * line) * line;
      end_ = at_ + apart_;
    }
    return true;
  }

  // Rows that follow each other without gaps count as one.
  bool next_row() {
    while (rows_.count <= 0 || rows_.width <= 0) {
      if (parts_.empty()) {
        owed_ = std::numeric_limits<index_t>::min() / 2;  // nobody looks here again
        return false;
      }
      rows_ = parts_.front(), parts_ = parts_.subspan(1);
    }
    const index_t joined = rows_.stride == rows_.width ? rows_.count : 1;
    at_ = rows_.address, end_ = rows_.address + joined * rows_.width;
    rows_.address += joined * rows_.stride, rows_.count -= joined;
    return true;
  }

  std::span<const memory_rows> parts_;  // not begun
  memory_rows rows_;                    // what is left of the part at hand
  bool in_streams_ = false;
  index_t owed_ = 0;                // bytes asked for that no line was visited for
  std::intptr_t at_ = 0, end_ = 0;  // what is left of a row, or of the first stream's share of a window
  std::intptr_t row_end_ = 0;       // of a window's row
  index_t apart_ = 0;               // from stream to stream; 0 where there is one
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
  void ask_quickly(index_t) {}
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
