#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include <longspan/core/at_hand.hpp>
#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/key_set.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/transform/reach.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What the rows of one text attend to: of what masks let them see, the keys within an interval of each row's own. Stands in for seen_keys.
// n, the sink and the distances that occur remain those of the masks.
template <class Seen>
class kept_keys {
 public:
  using answer = std::remove_const_t<decltype(detail::intersect(std::declval<const typename Seen::answer&>(), interval{}))>;
  using keys = at_hand<answer>;

  // `lengths` are those of the text. keep(head, query) is the interval of a row, in places.
  template <class Keep>
  kept_keys(std::shared_ptr<const Seen> masks, const shapes& lengths, Keep keep)
      : masks_(std::move(masks)), lengths_(lengths), hulls_(std::size_t(lengths.key_heads)) {
    answers_.reserve(std::size_t(lengths.heads * lengths.queries));
    for (index_t h = 0; h < lengths.heads; ++h)
      for (index_t i = 0; i < lengths.queries; ++i) {
        answers_.push_back(detail::intersect(*masks_->keys_of(h, i).whole, keep(h, i)));
        interval& all = hulls_[std::size_t(h / lengths.group())];
        all = hull(all, keys_of(h, i).hull());
      }
  }

  keys keys_of(index_t head, index_t query) const {
    return {&answers_[std::size_t(head * lengths_.queries + query)], lengths_.key_positions()};
  }
  index_t count(index_t head, index_t query) const { return masks_->count(head, query); }
  bool has_first(index_t head, index_t query) const { return masks_->has_first(head, query); }
  interval needed(index_t key_head, interval some) const {
    return intersect(hulls_[std::size_t(key_head)], masks_->needed(key_head, some));
  }
  reach distances(index_t padding) const { return masks_->distances(padding); }

 private:
  std::shared_ptr<const Seen> masks_;
  shapes lengths_;
  buffer<answer> answers_;
  buffer<interval> hulls_;  // of what the rows of each key head attend to
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
