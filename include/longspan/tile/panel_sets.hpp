#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/key_set.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Which panels of keys are needed, a bit for each, of several heads. Keys count from the first at hand.
class panel_sets {
 public:
  panel_sets(index_t heads, index_t keys)
      : words_(round_up(keys, 64 * panel_keys) / (64 * panel_keys)), bits_(std::size_t(heads * words_), 0) {}

  void clear() { std::fill(bits_.begin(), bits_.end(), 0); }

  // A head needs some keys.
  void add(index_t head, interval keys) {
    const interval panels = panels_of(keys);
    for (index_t w = panels.first / 64; w < round_up(panels.last, 64) / 64; ++w) word(head, w) |= panels.bits(64 * w);
  }

  // The hull of the panels that a head needs among some keys, in keys.
  interval needed(index_t head, interval keys) const {
    interval all;
    const interval panels = panels_of(keys);
    for (index_t w = panels.first / 64; w < round_up(panels.last, 64) / 64; ++w)
      if (const std::uint64_t needed = word(head, w) & panels.bits(64 * w); needed != 0)
        all = hull(all, {64 * w + std::countr_zero(needed), 64 * (w + 1) - std::countl_zero(needed)});
    return {all.first * panel_keys, all.last * panel_keys};
  }

 private:
  static interval panels_of(interval keys) {
    return keys.empty() ? interval{} : interval{keys.first / panel_keys, round_up(keys.last, panel_keys) / panel_keys};
  }
  std::uint64_t& word(index_t head, index_t w) { return bits_[std::size_t(head * words_ + w)]; }
  std::uint64_t word(index_t head, index_t w) const { return bits_[std::size_t(head * words_ + w)]; }

  index_t words_;  // for each head
  buffer<std::uint64_t> bits_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
