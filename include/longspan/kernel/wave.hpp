#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/kernel/key_head.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Key heads that are worked off together: as many as fit into the memory that a pass keeps for each. Counted through all texts, the heads
// of a text one after the other unless texts go together, so that sums over heads are taken in one order however many fit.
template <class Text>
class wave {
 public:
  explicit wave(std::span<const Text> texts) : wave(texts, [](const Text&, const Text&) { return false; }) {}

  // Neighbours that go together, as together(text, next) says, are taken head by head: the first of all these texts, then the second.
  template <class Together>
  wave(std::span<const Text> texts, Together together) : texts_(texts) {
    for (std::size_t first = 0, last = 1; first < texts.size(); first = last++) {
      while (last < texts.size() && together(texts[last - 1], texts[last])) ++last;
      for (index_t head = 0; head < texts[first].mechanism.lengths.key_heads; ++head)
        for (const Text& each : texts.subspan(first, last - first)) all_.push_back({&each, head});
      most_together_ = std::max(most_together_, index_t(last - first));
    }
  }

  // How many texts go together at most.
  index_t most_together() const { return most_together_; }

  // Moves on to the next heads. `size_of(head)` is what a head takes of `room`; the first is taken whatever its size. Returns whether there
  // are any.
  template <class Size>
  bool next(index_t room, Size size_of) {
    heads_.clear();
    for (; next_ < all_.size(); ++next_) {
      room -= size_of(all_[next_]);
      if (room < 0 && !heads_.empty()) return true;
      heads_.push_back(all_[next_]);
    }
    return !heads_.empty();
  }

  // The largest size of any head.
  template <class Size>
  index_t largest(Size size_of) const {
    index_t most = 0;
    for (const Text& each : texts_) most = std::max(most, index_t(size_of(key_head<Text>{&each, 0})));
    return most;
  }
  // Room for one of the largest for each thread and for `least` in all, or for all heads.
  template <class Size>
  index_t room_for(index_t threads, Size size_of, index_t least = 0) const {
    index_t all = 0;
    for (const key_head<Text>& each : all_) all += size_of(each);
    return std::min(all, std::max(least, threads * largest(size_of)));
  }

  index_t size() const { return index_t(heads_.size()); }
  const key_head<Text>& operator[](index_t w) const { return heads_[std::size_t(w)]; }
  std::span<const key_head<Text>> heads(index_t first, index_t count) const {
    return std::span<const key_head<Text>>(heads_).subspan(std::size_t(first), std::size_t(count));
  }

 private:
  std::span<const Text> texts_;
  buffer<key_head<Text>> all_, heads_;
  std::size_t next_ = 0;
  index_t most_together_ = 1;
};

// The items of one round of a wave: pieces of its heads, which may have different numbers of them.
struct wave_item {
  index_t head, piece;
};
template <class Item = wave_item>
class items_of_wave {
 public:
  void clear() { items_.clear(); }
  void add(index_t head, interval pieces) {
    for (index_t p = pieces.first; p < pieces.last; ++p) add({head, p});
  }
  void add(const Item& one) { items_.push_back(one); }
  void add(const items_of_wave& others) { items_.append(others.items_.begin(), others.items_.end()); }
  // The first pieces of all heads, then their second ones; or the last of all first. Heads ascend. (std::stable_sort would allocate.)
  void first_pieces_first() {
    std::ranges::sort(items_, {}, [](const Item& of) { return std::pair(of.piece, of.head); });
  }
  void last_pieces_first() {
    std::ranges::sort(items_, {}, [](const Item& of) { return std::pair(-of.piece, of.head); });
  }

  index_t count() const { return index_t(items_.size()); }
  const Item& operator[](index_t n) const { return items_[std::size_t(n)]; }

 private:
  buffer<Item> items_;
};
using wave_items = items_of_wave<>;

}  // namespace detail
LONGSPAN_NAMESPACE_END
