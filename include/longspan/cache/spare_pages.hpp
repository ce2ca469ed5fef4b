#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>
#include <vector>

#include <longspan/cache/page.hpp>
#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Pages that are in no text yet: those that were reserved, and those that texts let go while fewer are held than were reserved. Copies of a
// cache reserve for themselves.
class spare_pages {
 public:
  // Holds at least so many, and keeps as many.
  void reserve(index_t pages, index_t bytes) {
    free_.reserve(std::size_t(pages));
    while (index_t(free_.size()) < pages) free_.push_back(page(bytes));
    most_ = std::max(most_, pages);
  }

  // A cleared page: one that is held, or a new one.
  page take(index_t bytes) {
    if (free_.empty()) return page(bytes);
    page one = std::move(free_.back());
    free_.pop_back();
    std::memset(one.get(), 0, std::size_t(bytes));
    return one;
  }

  // Keeps a page unless others share it or as many are held as were reserved.
  void give(page&& one) noexcept {
    const page given = std::move(one);
    if (given == nullptr || given.shared() || index_t(free_.size()) >= most_) return;
    free_.push_back(given);
  }

  index_t count() const { return index_t(free_.size()); }

 private:
  std::vector<page> free_;
  index_t most_ = 0;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
