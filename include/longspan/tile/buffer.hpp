#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include <longspan/core/config.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The blocks of memory that a thread gave back, kept for its next call: decoding asks for the same ones at every token, or for slightly
// longer ones, so blocks are powers of two. At most 8 MiB, the oldest go first. Blocks begin at cache lines: a 64-byte load that straddles
// two of them takes twice the time.
class kept_blocks {
  static constexpr std::align_val_t alignment{64};
  static constexpr std::size_t most = std::size_t(8) << 20, largest = most / 4;

 public:
  static kept_blocks& of_this_thread() {
    thread_local kept_blocks blocks;
    return blocks;
  }

  void* take(std::size_t bytes) {
    bytes = rounded(bytes);
    for (block& each : kept_)
      if (each.memory != nullptr && each.bytes == bytes) {
        bytes_ -= bytes;
        return std::exchange(each.memory, nullptr);
      }
    return ::operator new(bytes, alignment);
  }

  void give(void* memory, std::size_t bytes) {
    bytes = rounded(bytes);
    if (bytes > largest || closed_) return ::operator delete(memory, alignment);
    while (bytes_ + bytes > most || kept_[oldest_].memory != nullptr) {
      discard(kept_[oldest_]);
      if (bytes_ + bytes > most) oldest_ = (oldest_ + 1) % kept_.size();
    }
    kept_[oldest_] = {memory, bytes};
    bytes_ += bytes;
    oldest_ = (oldest_ + 1) % kept_.size();
  }

  ~kept_blocks() {
    closed_ = true;
    for (block& each : kept_) discard(each);
  }

 private:
  struct block {
    void* memory = nullptr;
    std::size_t bytes = 0;
  };

  static std::size_t rounded(std::size_t bytes) { return bytes > largest ? bytes : std::bit_ceil(bytes); }
  void discard(block& each) {
    if (each.memory == nullptr) return;
    ::operator delete(each.memory, alignment);
    bytes_ -= each.bytes;
    each.memory = nullptr;
  }

  std::array<block, 256> kept_;
  std::size_t bytes_ = 0, oldest_ = 0;
  bool closed_ = false;
};

// Allocates from the blocks of the thread. What is not given a value is left as it was: megabytes that are written anyway.
template <class T>
struct recycled {
  using value_type = T;

  recycled() = default;
  template <class U>
  recycled(const recycled<U>&) {}

  T* allocate(std::size_t count) { return static_cast<T*>(kept_blocks::of_this_thread().take(count * sizeof(T))); }
  void deallocate(T* memory, std::size_t count) { kept_blocks::of_this_thread().give(memory, count * sizeof(T)); }

  template <class U, class... Arguments>
  void construct(U* at, Arguments&&... arguments) {
    if constexpr (sizeof...(Arguments) == 0)
      ::new (static_cast<void*>(at)) U;
    else
      std::construct_at(at, std::forward<Arguments>(arguments)...);
  }

  bool operator==(const recycled&) const { return true; }
};

// Memory of tiles and panels, and what a call keeps of its rows.
template <class T>
using buffer = std::vector<T, recycled<T>>;

}  // namespace detail
LONGSPAN_NAMESPACE_END
