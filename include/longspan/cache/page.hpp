#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The memory of a page, which copies of a cache share, or none. Pages are made several at once, in one block of memory that is freed with
// the last of them. Not a shared_ptr: whoever writes to a page that others let go must have seen all that they did with it, and use_count()
// promises no order.
class page {
 public:
  page() = default;
  page(const page& other) noexcept : memory_(other.memory_), slot_(other.slot_) {
    if (slot_ != nullptr) slot_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  page(page&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)), slot_(std::exchange(other.slot_, nullptr)) {}
  page& operator=(page other) noexcept { return std::swap(memory_, other.memory_), std::swap(slot_, other.slot_), *this; }
  ~page() {
    if (slot_ != nullptr && slot_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) let_go(slot_->of);
  }

  // Appends so many pages of so many bytes to others, uncleared; where memory is short it throws and appends none.
  static void make(index_t count, index_t bytes, std::vector<page>& to) {
    to.reserve(to.size() + std::size_t(count));
    block* const made = new block(count, bytes);
    for (index_t p = 0; p < count; ++p) to.push_back(page(made->memory.get() + p * bytes, &made->slots[std::size_t(p)]));
  }
  // How many are best made at once: as many as fit into a few large pages of the system.
  static index_t most_at_once(index_t bytes) { return std::max(2 * block::large / std::max(bytes, index_t(1)), index_t(1)); }

  std::byte* get() const { return memory_; }
  // Whether other owners hold it too. Where none does any more, what they read of it they have read.
  bool shared() const { return slot_->owners.load(std::memory_order_acquire) > 1; }
  // How many pages of its block are held, and whether another is one of them.
  index_t held_with() const { return slot_->of->held.load(std::memory_order_acquire); }
  bool made_with(const page& other) const { return slot_->of == other.slot_->of; }
  bool operator==(const page& other) const { return memory_ == other.memory_; }
  bool operator==(std::nullptr_t) const { return memory_ == nullptr; }

 private:
  struct block;
  struct slot {
    std::atomic<index_t> owners{1};
    block* of;
  };

  // Where it is large enough, the system is asked to map it by large pages: decoding 32 heads on 8 from a cache reads 34.9 GB/s instead of
  // 33.1 at 32768 keys, 16 bits 31.9 instead of 27.6 (Zen 5).
  struct block {
    static constexpr index_t large = index_t(2) << 20, line = 64;
    struct freed {
      std::align_val_t alignment;
      void operator()(std::byte* bytes) const { ::operator delete(bytes, alignment); }
    };
    std::unique_ptr<std::byte, freed> memory;
    std::vector<slot> slots;
    std::atomic<index_t> held;

    block(index_t count, index_t bytes) : memory(allocate(count * bytes)), slots(std::size_t(count)), held(count) {
      for (slot& each : slots) each.of = this;
    }
    static std::unique_ptr<std::byte, freed> allocate(index_t bytes) {
      const std::align_val_t alignment{std::size_t(bytes < large ? line : large)};
      auto* const memory = static_cast<std::byte*>(::operator new(std::size_t(bytes), alignment));
#if defined(__linux__)
      if (bytes >= large) ::madvise(memory, std::size_t(bytes), MADV_HUGEPAGE);  // a wish: no matter whether it is granted
#endif
      return {memory, freed{alignment}};
    }
  };

  page(std::byte* memory, slot* of) : memory_(memory), slot_(of) {}
  static void let_go(block* of) {
    if (of->held.fetch_sub(1, std::memory_order_acq_rel) == 1) delete of;
  }

  std::byte* memory_ = nullptr;
  slot* slot_ = nullptr;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
