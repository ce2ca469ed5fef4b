#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <longspan/cache/page.hpp>
#include <longspan/cache/page_layout.hpp>
#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The tokens of one text of a cache: its pages, one after the other, null where one was given back.
template <class Storage>
struct text_pages {
  std::vector<page> pages;
  index_t length = 0;

  static constexpr index_t page_keys = page_layout<Storage>::keys;

  std::byte* page_of(index_t key) const { return pages[std::size_t(key / page_keys)].get(); }
  // Whether all pages of some keys are there.
  bool holds(interval keys) const {
    for (index_t p = keys.first / page_keys; p * page_keys < keys.last; ++p)
      if (p >= index_t(pages.size()) || pages[std::size_t(p)] == nullptr) return false;
    return true;
  }
  // Whether another text has the same ones; those that both gave back count, since no row needs them.
  bool shares(const text_pages& other, interval keys) const {
    for (index_t p = keys.first / page_keys; p * page_keys < keys.last; ++p)
      if (p >= index_t(pages.size()) || p >= index_t(other.pages.size()) || pages[std::size_t(p)] != other.pages[std::size_t(p)])
        return false;
    return true;
  }
};

// How many pages some texts hold: one that they share counts once.
template <class Storage>
index_t count_pages(std::span<const text_pages<Storage>> texts) {
  std::vector<const std::byte*> held;
  for (const auto& each : texts)
    for (const page& one : each.pages)
      if (one != nullptr) held.push_back(one.get());
  std::sort(held.begin(), held.end());
  return std::unique(held.begin(), held.end()) - held.begin();
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
