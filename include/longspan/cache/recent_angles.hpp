#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <longspan/core/interval.hpp>
#include <longspan/core/text.hpp>
#include <longspan/core/token.hpp>
#include <longspan/position/angles.hpp>
#include <longspan/position/ladder.hpp>
#include <longspan/position/rotate.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The cosines and sines of a rotation for the tokens that texts were last asked for: those that were appended, or the queries. A token that
// is asked for a second time, as a query that was appended as a key is, costs nothing.
template <class T>
class recent_angles {
 public:
  explicit recent_angles(ladder rungs) : each_(std::move(rungs)) {}

  // Makes those of some places of a text.
  void reach(index_t text, interval places) {
    if (text >= index_t(texts_.size())) texts_.resize(std::size_t(text + 1));
    run& own = texts_[std::size_t(text)];
    if (places.empty() || (own.places.first <= places.first && places.last <= own.places.last)) return;
    own.places = {};
    own.table.resize(std::size_t(2 * each_.count() * places.size()));
    T* to = own.table.data();
    for (index_t place = places.first; place < places.last; ++place, to += 2 * each_.count()) each_.write(place, to);
    own.places = places;
  }

  void turn(std::span<T> row, const token& of) const {
    const run& own = texts_[std::size_t(of.text)];
    const T* const cosine = own.table.data() + 2 * each_.count() * (of.place - own.places.first);
    rotate(row, each_.pairing(), each_.count(), cosine, cosine + each_.count());
  }

 private:
  struct run {
    interval places;
    std::vector<T> table;
  };

  angles each_;
  std::vector<run> texts_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
