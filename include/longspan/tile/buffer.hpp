#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include <longspan/tile/kept_blocks.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What tiles, panels and rows of a call are kept in: a std::vector, as far as it goes, in blocks that the thread kept. It differs where it
// says so, and compiles in a fraction of the time: a sentence has half a dozen types of its own that calls keep many of.
template <class T>
class buffer {
  static_assert(alignof(T) <= 64);

 public:
  using value_type = T;

  buffer() = default;
  explicit buffer(std::size_t count) : buffer() { resize(count); }
  buffer(std::size_t count, const T& value) : buffer() { resize(count, value); }
  buffer(const buffer& other) : buffer() { append(other.begin(), other.end()); }
  buffer(buffer&& other) noexcept { swap(other); }
  buffer& operator=(buffer other) noexcept {
    swap(other);
    return *this;
  }
  ~buffer() {
    clear();
    if (first_ != nullptr) kept_blocks::of_this_thread().give(first_, room_ * sizeof(T));
  }

  void swap(buffer& other) noexcept {
    std::swap(first_, other.first_), std::swap(size_, other.size_), std::swap(room_, other.room_);
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return first_; }
  const T* data() const { return first_; }
  T* begin() { return first_; }
  const T* begin() const { return first_; }
  T* end() { return first_ + size_; }
  const T* end() const { return first_ + size_; }
  T& operator[](std::size_t n) {
    assert(n < size_);
    return first_[n];
  }
  const T& operator[](std::size_t n) const {
    assert(n < size_);
    return first_[n];
  }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size_ - 1]; }
  const T& back() const { return (*this)[size_ - 1]; }

  // Numbers that are new are of no particular value: the kernel overwrites them. A `value` is none of this buffer's.
  void resize(std::size_t count) {
    reserve(count);
    cut(count);
    if constexpr (std::is_trivially_default_constructible_v<T>)
      size_ = count;
    else
      for (; size_ < count; ++size_) ::new (static_cast<void*>(first_ + size_)) T;
  }
  void resize(std::size_t count, const T& value) {
    reserve(count);
    cut(count);
    for (; size_ < count; ++size_) ::new (static_cast<void*>(first_ + size_)) T(value);
  }
  void assign(std::size_t count, const T& value) { clear(), resize(count, value); }
  void clear() { cut(0); }

  // `value` may be one of this buffer's; what emplace_back makes one of may not.
  void push_back(T value) { emplace_back(std::move(value)); }
  template <class... Arguments>
  T& emplace_back(Arguments&&... arguments) {
    if (size_ == room_) reserve(std::max<std::size_t>(2 * room_, 1));
    T* const made = ::new (static_cast<void*>(first_ + size_)) T(std::forward<Arguments>(arguments)...);
    ++size_;
    return *made;
  }
  // Appends what lies in memory that is not this buffer's.
  void append(const T* from, const T* to) {
    reserve(size_ + std::size_t(to - from));
    for (; from != to; ++from) emplace_back(*from);
  }

  // Makes room for so many in all, and for as many more as the block of memory has.
  void reserve(std::size_t count) {
    static_assert(std::is_nothrow_move_constructible_v<T>);
    if (count <= room_) return;
    T* const first = static_cast<T*>(kept_blocks::of_this_thread().take(count * sizeof(T)));
    for (std::size_t n = 0; n < size_; ++n) {
      ::new (static_cast<void*>(first + n)) T(std::move(first_[n]));
      first_[n].~T();
    }
    if (first_ != nullptr) kept_blocks::of_this_thread().give(first_, room_ * sizeof(T));
    first_ = first, room_ = kept_blocks::rounded(count * sizeof(T)) / sizeof(T);
  }

 private:
  void cut(std::size_t count) {
    if constexpr (std::is_trivially_destructible_v<T>)
      size_ = std::min(size_, count);
    else
      while (size_ > count) first_[--size_].~T();
  }

  T* first_ = nullptr;
  std::size_t size_ = 0, room_ = 0;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
