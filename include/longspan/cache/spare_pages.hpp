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

// Pages that are in no text: those that were reserved, and those that texts let go and whose memory is needed for others that were made
// with them. Copies of a cache reserve for themselves.
class spare_pages {
 public:
  // Holds at least so many, and goes on to hold as many.
  void reserve(index_t pages, index_t bytes) {
    hold(pages, bytes);
    most_ = std::max(most_, pages);
  }

  // Makes pages until so many are held.
  void hold(index_t pages, index_t bytes) {
    for (index_t missing; (missing = pages - count()) > 0;) {
      const index_t more = std::min(missing, page::most_at_once(bytes));
      free_.reserve(std::size_t(std::max(made_, count()) + more));  // so that give can keep every one
      page::make(more, bytes, free_);
      made_ += more;
    }
  }

  // One of those that are held, cleared: lanes of keys that are not there yet are multiplied, and what comes of it is hidden.
  page take(index_t bytes) {
    page one = std::move(free_.back());
    free_.pop_back();
    std::memset(one.get(), 0, std::size_t(bytes));
    return one;
  }

  // Keeps a page unless others share it. Those whose whole block is kept are let go while more are held than were reserved.
  void give(page&& one) noexcept {
    const page given = std::move(one);
    if (given == nullptr || given.shared() || free_.size() == free_.capacity()) return;
    free_.push_back(given);
    const index_t held = given.held_with();
    const auto made_with_it = [&](const page& each) { return each.made_with(given); };
    if (count() - held < most_ || std::ranges::count_if(free_, made_with_it) < held) return;
    std::erase_if(free_, made_with_it);
    made_ = std::max(made_ - held, index_t(0));
  }

  index_t count() const { return index_t(free_.size()); }

 private:
  std::vector<page> free_;
  index_t made_ = 0, most_ = 0;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
