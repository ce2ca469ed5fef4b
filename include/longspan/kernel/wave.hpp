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
// of a text one after the other, so that sums over heads are taken in one order however many fit.
template <class Text>
class wave {
 public:
  explicit wave(std::span<const Text> texts) : texts_(texts) {}

  // Moves on to the next heads. `size(head)` is what a head takes of `room`; the first is taken whatever its size. Returns whether there
  // are any.
  template <class Size>
  bool next(index_t room, Size size) {
    heads_.clear();
    for (; next_text_ < texts_.size(); next_head_ = 0, ++next_text_)
      for (; next_head_ < texts_[next_text_].mechanism.lengths.key_heads; ++next_head_) {
        const key_head<Text> head{&texts_[next_text_], next_head_};
        room -= size(head);
        if (room < 0 && !heads_.empty()) return true;
        heads_.push_back(head);
      }
    return !heads_.empty();
  }

  // The largest size of any head, and room for one of it for each thread, or for as many heads as there are.
  template <class Size>
  index_t largest(Size size) const {
    index_t most = 0;
    for (const Text& each : texts_) most = std::max(most, index_t(size(key_head<Text>{&each, 0})));
    return most;
  }
  template <class Size>
  index_t room_for(index_t threads, Size size) const {
    return std::min(threads, index_t(texts_.size()) * texts_[0].mechanism.lengths.key_heads) * largest(size);
  }

  index_t size() const { return index_t(heads_.size()); }
  const key_head<Text>& operator[](index_t w) const { return heads_[std::size_t(w)]; }

 private:
  std::span<const Text> texts_;
  std::size_t next_text_ = 0;
  index_t next_head_ = 0;
  buffer<key_head<Text>> heads_;
};

// The items of one round of a wave: pieces of its heads, which may have different numbers of them.
class wave_items {
 public:
  struct item {
    index_t head, piece;
  };

  void clear() { items_.clear(); }
  void add(index_t head, interval pieces) {
    for (index_t p = pieces.first; p < pieces.last; ++p) items_.push_back({head, p});
  }
  void add(const wave_items& others) { items_.insert(items_.end(), others.items_.begin(), others.items_.end()); }
  // The first pieces of all heads, then their second ones; or the last of all first. Heads ascend. (std::stable_sort would allocate.)
  void first_pieces_first() {
    std::ranges::sort(items_, {}, [](const item& of) { return std::pair(of.piece, of.head); });
  }
  void last_pieces_first() {
    std::ranges::sort(items_, {}, [](const item& of) { return std::pair(-of.piece, of.head); });
  }

  index_t count() const { return index_t(items_.size()); }
  const item& operator[](index_t n) const { return items_[std::size_t(n)]; }

 private:
  buffer<item> items_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
