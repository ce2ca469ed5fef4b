#pragma once

#include <algorithm>
#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <longspan/core/interval.hpp>
#include <longspan/mechanism/bind.hpp>
#include <longspan/transform/reach.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Whether a table by distance of a part can be kept for calls to come: parts are compared, and the table takes more distances
// (transform/concept.hpp).
template <class P, class T>
concept keeps_table = std::equality_comparable<P> && requires(const P& part, const reach& distances) {
  part.template prepare<T>(distances).fill(part, interval{});
  requires std::is_copy_assignable_v<decltype(part.template prepare<T>(distances))>;
};

// Tables by distance that live with a cache, of the transforms whose tables can be kept. A text that grows by a token adds the distance of
// its first key; where a table has no room for it, or the distances do not join those it has, it is made anew, with half as much room
// again.
class kept_tables {
  struct kept {
    virtual ~kept() = default;
  };
  template <class T, class P>
  struct of_part final : kept {
    P part;
    reach held;
    decltype(std::declval<const P&>().template prepare<T>(reach{})) table;

    of_part(const P& from, const reach& first) : part(from), held(with_room(first)), table(part.template prepare<T>(held)) {}

    void extend(const reach& needed) {
      const bool fits = held.touched.first <= needed.touched.first && needed.touched.last <= held.touched.last;
      const bool joins = needed.seen.empty() ||
                         (needed.seen.first <= held.seen.last && held.seen.first <= needed.seen.last && !held.seen.empty());
      if (!fits || !joins) {
        const reach next =
            with_room({needed.seen, hull(needed.touched, {held.touched.first, needed.touched.last}), needed.heads});
        table = part.template prepare<T>(next);
        held = next;
      } else {
        const interval all = hull(held.seen, needed.seen);
        table.fill(part, {all.first, held.seen.first}), table.fill(part, {held.seen.last, all.last});
        held.seen = all;
      }
    }
    static reach with_room(const reach& needed) {
      const index_t last = needed.touched.last + std::max<index_t>(needed.touched.last / 2, 64);
      return {needed.seen, {needed.touched.first, last}, needed.heads};
    }
  };

 public:
  // The table of a part that holds some distances.
  template <class T, class P>
  auto of(const P& part, const reach& needed) {
    if constexpr (!keeps_table<P, T>) {
      return part.template prepare<T>(needed);
    } else {
      for (const auto& each : all_)
        if (auto* const own = dynamic_cast<of_part<T, P>*>(each.get()); own != nullptr && own->part == part)
          return own->extend(needed), own->table;
      if (all_.size() == most) all_.erase(all_.begin());
      all_.push_back(std::make_unique<of_part<T, P>>(part, needed));
      return static_cast<of_part<T, P>&>(*all_.back()).table;
    }
  }

 private:
  static constexpr std::size_t most = 8;  // transforms over one cache; of more, the oldest are made again
  std::vector<std::unique_ptr<kept>> all_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
