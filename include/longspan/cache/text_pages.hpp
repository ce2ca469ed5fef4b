#pragma once

#include <cstddef>
#include <vector>

#include <longspan/cache/page.hpp>
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

}  // namespace detail
LONGSPAN_NAMESPACE_END
