#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include <longspan/core/interval.hpp>
#include <longspan/core/key_set.hpp>
#include <longspan/tile/for_each_stretch.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What the rows of a block see of one tile of keys, panel by panel. Keys count from the first of the tile, panels likewise.
template <class T, index_t Rows>
class tile_sight {
  static constexpr std::uint64_t full = ~std::uint64_t(0);

 public:
  // Looks at the tile of `keys` keys that begins at key `tile`. Bits are made for panels that not all rows see whole.
  template <class Row>
  void look(std::span<const Row> rows, index_t tile, index_t keys) {
    index_t first = keys, last = 0, common_first = 0, common_last = keys;
    stretches_ = true;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const index_t own_first = std::max<index_t>(rows[i].hull.first - tile, 0),
                    own_last = std::min(rows[i].hull.last - tile, keys);
      own_[i] = {own_first, std::max(own_first, own_last)};
      if (own_first < own_last) first = std::min(first, own_first), last = std::max(last, own_last);
      common_first = std::max(common_first, own_first), common_last = std::min(common_last, own_last);
      if (!rows[i].stretch) stretches_ = false;
    }
    seen_ = {first, last};
    panels_ = {first / panel_keys, round_up(last, panel_keys) / panel_keys};
    full_ = {};
    if (stretches_ && common_first < common_last)
      full_ = {round_up(common_first, panel_keys) / panel_keys, common_last / panel_keys};
    bool found = stretches_;
    for (index_t p = panels_.first; p < panels_.last; ++p) {
      if (full_.contains(p)) continue;
      std::uint64_t any = 0, all = full;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::uint64_t bits = rows[i].seen.bits(tile + p * panel_keys);
        bits_[i][std::size_t(p)] = bits, any |= bits, all &= bits;
      }
      any_[std::size_t(p)] = any, all_[std::size_t(p)] = all, found = found || any != 0;
    }
    if (!found || last <= first) seen_ = panels_ = {};
  }

  // An interval that holds what the rows see; empty where they see nothing. The panels that it touches.
  interval seen() const { return seen_; }
  interval panels() const { return panels_; }

  // Whether every row sees all of a panel; whether any row, and whether row i, sees a key of a panel or the tile.
  bool full_of(index_t p) const { return full_.contains(p) || (panels_.contains(p) && all_[std::size_t(p)] == full); }
  bool any(index_t p) const { return full_.contains(p) || (panels_.contains(p) && any_[std::size_t(p)] != 0); }
  bool sees(index_t i) const {
    if (stretches_) return !own_[std::size_t(i)].empty();
    return std::ranges::any_of(panels_of(i), [](std::uint64_t bits) { return bits != 0; });
  }

  // The hull of the keys of panel p that any row sees.
  interval seen(index_t p) const {
    const index_t first = p * panel_keys;
    if (full_.contains(p)) return {first, first + panel_keys};
    const std::uint64_t any = any_[std::size_t(p)];
    return {first + std::countr_zero(any), first + panel_keys - std::countl_zero(any)};
  }

  // What row i sees of panel p.
  std::uint64_t bits(index_t i, index_t p) const { return full_.contains(p) ? full : bits_[std::size_t(i)][std::size_t(p)]; }

  // Calls visit(keys) for the stretches of panels that row i sees something of, from its first seen key to its last.
  template <class Visit>
  void for_each_stretch(index_t i, Visit visit) const {
    if (!stretches_)
      detail::for_each_stretch(panels_of(i), panels_.first, visit);
    else if (const interval own = own_[std::size_t(i)]; !own.empty())
      visit(own);
  }

  // What the first `count` rows see of panel p, a word for each: bit 0 is that of key `first` of the panel.
  std::array<std::uint64_t, std::size_t(Rows)> by_row(index_t count, index_t p, index_t first) const {
    std::array<std::uint64_t, std::size_t(Rows)> seen;
    for (std::size_t i = 0; i < std::size_t(count); ++i) seen[i] = bits_[i][std::size_t(p)] >> first;
    return seen;
  }

 private:
  using panel_bits = std::array<std::uint64_t, std::size_t(tile_shape<T>::key_rows(1) / panel_keys)>;

  std::span<const std::uint64_t> panels_of(index_t i) const {
    return std::span(bits_[std::size_t(i)]).subspan(std::size_t(panels_.first), std::size_t(panels_.size()));
  }

  bool stretches_ = false;  // each row sees one interval of the tile, and that is `own_`; else it holds what the row sees
  std::array<interval, std::size_t(Rows)> own_;
  interval seen_, panels_, full_;  // panels that every row sees whole, whose bits are not made
  panel_bits any_, all_;           // of the rows
  std::array<panel_bits, std::size_t(Rows)> bits_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
