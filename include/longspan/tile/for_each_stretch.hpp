#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/key_set.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Calls visit(keys) for every stretch of adjacent panels that hold a seen key, from its first seen key to its last. `first` is the number
// of the first panel.
template <class Visit>
constexpr void for_each_stretch(std::span<const std::uint64_t> panels, index_t first, Visit visit) {
  for (std::size_t p = 0; p < panels.size(); ++p) {
    if (panels[p] == 0) continue;
    const index_t begin = (first + index_t(p)) * panel_keys + std::countr_zero(panels[p]);
    while (p + 1 < panels.size() && panels[p + 1] != 0) ++p;
    visit(interval{begin, (first + index_t(p) + 1) * panel_keys - std::countl_zero(panels[p])});
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
