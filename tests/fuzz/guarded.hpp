#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include <longspan/longspan.hpp>

#include "drawn.hpp"

namespace fuzz {

using longspan::view;
using extents = std::array<index_t, 4>;

// The same number, bit by bit, so that 0 and -0 differ; one NaN is as good as another.
template <class S>
bool same_number(S a, S b) {
  return std::memcmp(&a, &b, sizeof(S)) == 0 || (std::isnan(double(a)) && std::isnan(double(b)));
}

// visit(batch, head, token, channel) for all of some extents.
template <class Visit>
void for_each_index(const extents& extent, Visit visit) {
  for (index_t b = 0; b < extent[0]; ++b)
    for (index_t h = 0; h < extent[1]; ++h)
      for (index_t i = 0; i < extent[2]; ++i)
        for (index_t c = 0; c < extent[3]; ++c) visit(b, h, i, c);
}

template <class S>
S& at(const view<S>& of, index_t b, index_t h, index_t i, index_t c) {
  return of.data[b * of.stride[0] + h * of.stride[1] + i * of.stride[2] + c * of.stride[3]];
}

// A part of a view along one axis; all of an axis of extent 1, which stands for all.
template <class S>
view<S> part_of(view<S> of, std::size_t axis, index_t first, index_t count) {
  if (of.extent[axis] == 1) return of;
  of.data += first * of.stride[axis];
  of.extent[axis] = count;
  return of;
}

template <class A, class B>
bool same_numbers(const view<A>& a, const view<B>& b) {
  bool same = a.extent == b.extent;
  if (same) for_each_index(a.extent, [&](auto... i) { same = same && same_number(at(a, i...), at(b, i...)); });
  return same;
}

// How a tensor lies in memory, where not anyhow.
struct layout {
  bool broadcast = false;        // an axis may have stride 0
  bool tokens_are_rows = false;  // a token is one row, head after head; tokens may have gaps between them
  bool one_text = false;         // that all texts have
};

// A tensor in memory of its own, which ends where the tensor does or a little later. Axes lie in any order, with gaps.
template <class S>
class guarded {
 public:
  // Axes one behind the other.
  explicit guarded(const extents& extent) { lay_out(extent, {3, 2, 1, 0}, {}, 0, 0); }
  // Anyhow, or as it is told.
  guarded(drawn& from, const extents& extent, const layout& lies = {}) {
    std::array<std::size_t, 4> order{3, 2, 1, 0};
    extents gaps{};
    if (lies.tokens_are_rows) {
      std::swap(order[1], order[2]);
      gaps[1] = from.of<index_t>({0, 0, 5, 64});
    } else {
      if (from.once_in(3)) std::swap(order[1], order[2]);
      if (from.once_in(12)) std::swap(order[0], order[std::size_t(from.between(1, 3))]);
      if (from.once_in(3)) gaps[std::size_t(from.between(0, 3))] = from.of<index_t>({1, 2, 5, 16});
    }
    lay_out(extent, order, gaps, from.of<index_t>({0, 0, 1, 3}), from.of<index_t>({0, 0, 7, 64}));
    if (lies.one_text) all_.stride[0] = 0;
    if (lies.broadcast && from.once_in(8)) all_.stride[std::size_t(from.between(0, 1))] = 0;
  }

  view<S> all() { return all_; }
  view<const S> all() const { return all_; }
  // Takes the numbers of another, `elsewhere` around them.
  void take(const view<const S>& numbers, S elsewhere) {
    std::fill_n(memory_.get(), size_, elsewhere);
    for_each_index(all_.extent, [&](auto... i) { at(all_, i...) = at(numbers, i...); });
  }
  template <class Fill>
  void fill(S elsewhere, Fill number) {
    std::fill_n(memory_.get(), size_, elsewhere);
    for_each_index(all_.extent, [&](auto... i) { at(all_, i...) = number(); });
  }

  // Remembers all bytes; then whether some have changed.
  void seal() { before_.assign(memory_.get(), memory_.get() + size_); }
  bool unchanged() const { return size_ == 0 || std::memcmp(memory_.get(), before_.data(), std::size_t(size_) * sizeof(S)) == 0; }
  bool unchanged_outside() const {
    std::vector<S> expected = before_;
    for_each_index(all_.extent, [&](auto... i) {
      S& number = at(all_, i...);
      expected[std::size_t(&number - memory_.get())] = number;
    });
    return size_ == 0 || std::memcmp(memory_.get(), expected.data(), std::size_t(size_) * sizeof(S)) == 0;
  }

 private:
  void lay_out(const extents& extent, const std::array<std::size_t, 4>& order, const extents& gaps, index_t before,
               index_t after) {
    all_.extent = extent;
    index_t stride = 1, last = before;
    bool any = true;
    for (const std::size_t axis : order) {
      all_.stride[axis] = stride;
      if (axis == 3) all_.stride[axis] = stride = stride * (1 + gaps[3] % 2);
      last += (extent[axis] - 1) * stride;
      stride = extent[axis] * stride + (axis == 3 ? 0 : gaps[axis]);
      any = any && extent[axis] > 0;
    }
    size_ = any ? last + 1 + after : 0;
    memory_ = std::make_unique<S[]>(std::size_t(size_));
    all_.data = any ? memory_.get() + before : memory_.get();
  }

  index_t size_ = 0;
  std::unique_ptr<S[]> memory_;
  std::vector<S> before_;
  view<S> all_;
};

}  // namespace fuzz
