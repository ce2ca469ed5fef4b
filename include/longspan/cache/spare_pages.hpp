#pragma once

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
  spare_pages() = default;
  spare_pages(const spare_pages&) {}
  spare_pages(spare_pages&&) noexcept = default;
  spare_pages& operator=(spare_pages&&) noexcept = default;

  // Holds at least so many.
  void reserve(index_t pages, index_t bytes) {
    free_.reserve(std::size_t(pages));
    while (index_t(free_.size()) < pages) free_.push_back(make_page(bytes));
  }

  // A cleared page: one that is held, or a new one.
  page take(index_t bytes) {
    if (free_.empty()) return make_page(bytes);
    page one = std::move(free_.back());
    free_.pop_back();
    std::memset(one.get(), 0, std::size_t(bytes));
    return one;
  }

  // Keeps a page unless others share it or as many are held as were reserved.
  void give(page&& one) noexcept {
    if (one != nullptr && one.use_count() == 1 && free_.size() < free_.capacity()) free_.push_back(std::move(one));
    one.reset();
  }

  index_t count() const { return index_t(free_.size()); }

 private:
  std::vector<page> free_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
