#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <longspan/core/interval.hpp>
#include <longspan/core/text.hpp>
#include <longspan/position/angles.hpp>
#include <longspan/position/ladder.hpp>
#include <longspan/position/rotate.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/kept_blocks.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The cosines and sines of a rotation at every place of a call, made once and shared by all its heads: 2 numbers for each pair of
// channels.
template <class T>
class angle_table {
 public:
  angle_table(angles&& each, interval queries, interval keys)
      : angle_table(each, queries, keys, [](index_t place) { return place; }) {}

  // Of rows that stand at position_of(place), an index_t or a double. What `each` has made serves the next table too.
  template <class PositionOf>
  angle_table(angles& each, interval queries, interval keys, PositionOf position_of)
      : pairing_(each.pairing()), count_(each.count()), low_(queries), high_(keys) {
    if (high_.first < low_.first) std::swap(low_, high_);
    high_.first = std::max(high_.first, low_.empty() ? low_.first : low_.last);
    auto table = std::allocate_shared<buffer<T>>(recycled<T>(), std::size_t(2 * count_ * (low_.size() + high_.size())), T(0));
    T* to = table->data();
    for (const interval& run : {low_, high_})
      for (index_t place = run.first; place < run.last; ++place, to += 2 * count_) each.write(position_of(place), to);
    table_ = std::move(table);
  }

  void turn(std::span<T> row, index_t place) const {
    const T* cosine = at(place);
    rotate(row, pairing_, count_, cosine, cosine + count_);
  }
  void turn_back(std::span<const T>, std::span<T> gradient, index_t place) const {
    const T* cosine = at(place);
    rotate(gradient, pairing_, count_, cosine, cosine + count_, T(-1));
  }

 private:
  const T* at(index_t place) const {
    const index_t row = low_.contains(place) ? place - low_.first : low_.size() + place - high_.first;
    return table_->data() + 2 * count_ * row;
  }

  pairing pairing_;
  index_t count_;
  interval low_, high_;  // the places of queries and keys: those of one, and what the other has beyond them
  std::shared_ptr<const buffer<T>> table_;
};

// The tables of the rotations of a call at the places of its texts: one for all that have the same angles, as the summands of a sum may.
template <class T>
class angle_tables {
 public:
  explicit angle_tables(std::span<const text> texts) : places_(texts) {}

  angle_table<T> operator()(ladder rungs) {
    for (const auto& [own, table] : made_)
      if (own == rungs) return table;
    return made_.emplace_back(rungs, angle_table<T>(rungs, places_.queries, places_.keys)).second;
  }

 private:
  places_of_texts places_;
  std::vector<std::pair<ladder, angle_table<T>>> made_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
