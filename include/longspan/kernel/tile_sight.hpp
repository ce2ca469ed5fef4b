#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include <longspan/core/interval.hpp>
#include <longspan/core/key_set.hpp>
#include <longspan/tile/shape.hpp>
#include <longspan/tile/split_by_row.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What the rows of a register block see of one tile of keys, panel by panel. Keys count from the first of the tile, panels likewise.
template <class T, index_t Rows>
class tile_sight {
  static constexpr std::uint64_t full = ~std::uint64_t(0);

 public:
  // Looks at the tile of `keys` keys that begins at key `tile`. Most tiles are seen whole by all rows, and of the others most panels: for
  // those no bits are made.
  template <class Row>
  void look(std::span<const Row> rows, index_t tile, index_t keys) {
    interval common{0, keys};
    seen_ = {};
    for (const Row& row : rows) {
      const interval own = intersect({row.hull.first - tile, row.hull.last - tile}, {0, keys});
      seen_ = hull(seen_, own);
      common = row.stretch ? intersect(common, own) : interval{};
    }
    panels_ = {seen_.first / panel_keys, round_up(seen_.last, panel_keys) / panel_keys};
    whole_ = common.size() == keys;
    if (whole_ || seen_.empty()) return;
    for (std::size_t i = 0; i < rows.size(); ++i) bits_[i].fill(full);
    any_.fill(full), all_.fill(full);
    bool found = !common.empty();
    for (index_t p = panels_.first; p < panels_.last; ++p) {
      const index_t first = p * panel_keys;
      if (common.first <= first && first + panel_keys <= common.last) continue;
      std::uint64_t any = 0, all = full;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::uint64_t bits = rows[i].seen.bits(tile + first);
        bits_[i][std::size_t(p)] = bits, any |= bits, all &= bits;
      }
      any_[std::size_t(p)] = any, all_[std::size_t(p)] = all, found = found || any != 0;
    }
    if (!found) seen_ = {};
  }

  // An interval that holds what the rows see; empty where they see nothing. The panels that it touches.
  interval seen() const { return seen_; }
  interval panels() const { return panels_; }

  // Whether every row sees the whole tile; whether any row, and whether row i, sees a key of a panel or the tile.
  bool whole() const { return whole_; }
  bool any(index_t p) const { return whole_ || any_[std::size_t(p)] != 0; }
  bool sees(index_t i) const {
    return whole_ || std::ranges::any_of(panels_of(i), [](std::uint64_t bits) { return bits != 0; });
  }

  // What row i sees of panel p.
  std::uint64_t bits(index_t i, index_t p) const { return whole_ ? full : bits_[std::size_t(i)][std::size_t(p)]; }

  // Calls visit(keys) for the stretches of panels that row i sees something of, from its first seen key to its last.
  template <class Visit>
  void for_each_stretch(index_t i, Visit visit) const {
    if (whole_)
      visit(seen_);
    else
      detail::for_each_stretch(panels_of(i), panels_.first, visit);
  }

  // Calls together(keys) for what the first `count` rows all see of panel p, and alone(i, keys) for the rest: see split_by_row.
  template <index_t PerWord, class Together, class Alone>
  void split(index_t count, index_t p, Together together, Alone alone) const {
    const index_t first = p * panel_keys;
    const auto at = [=](interval keys) { return interval{first + keys.first, first + keys.last}; };
    if (whole_ || all_[std::size_t(p)] == full) return together(at({0, panel_keys}));
    std::array<std::uint64_t, std::size_t(Rows)> column;
    for (index_t i = 0; i < count; ++i) column[std::size_t(i)] = bits_[std::size_t(i)][std::size_t(p)];
    split_by_row<PerWord>(
        std::span<const std::uint64_t>(column).first(std::size_t(count)), [&](interval keys) { together(at(keys)); },
        [&](index_t i, interval keys) { alone(i, at(keys)); });
  }

 private:
  using panel_bits = std::array<std::uint64_t, std::size_t(tile_shape<T>::key_rows(1) / panel_keys)>;

  std::span<const std::uint64_t> panels_of(index_t i) const {
    return std::span(bits_[std::size_t(i)]).subspan(std::size_t(panels_.first), std::size_t(panels_.size()));
  }

  bool whole_ = false;  // then the bits say nothing
  interval seen_, panels_;
  panel_bits any_, all_;  // of the rows
  std::array<panel_bits, std::size_t(Rows)> bits_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
