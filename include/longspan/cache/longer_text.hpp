#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include <longspan/cache/page.hpp>
#include <longspan/cache/page_layout.hpp>
#include <longspan/cache/spare_pages.hpp>
#include <longspan/cache/text_pages.hpp>
#include <longspan/core/index.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A text with room for more tokens, which is as it was until commit() is called: pages that it does not have yet, or that other caches
// share and that are copied, are held here. What is written beyond its length in a page of its own nobody sees.
template <class Storage>
class longer_text {
  static constexpr index_t page_keys = page_layout<Storage>::keys;

 public:
  longer_text(text_pages<Storage>& of, index_t tokens, const page_layout<Storage>& layout, spare_pages& spare)
      : longer_text(of, tokens, spare) {  // what throws from here on gives pages back
    const index_t pages = round_up(length_, page_keys) / page_keys, own = index_t(of.pages.size());
    if (std::size_t(pages) > of.pages.capacity()) of.pages.reserve(std::max(std::size_t(pages), 2 * of.pages.capacity()));
    const bool copied = first_ < own && of.pages[std::size_t(first_)].shared();
    const index_t kept = first_ < own && !copied, missing = pages - first_ - kept;
    // A text that grows token by token asks for memory ever more rarely.
    if (missing > spare.count())
      spare.hold(std::max(missing, std::min(own / 4, page::most_at_once(layout.bytes()))), layout.bytes());
    for (index_t p = first_; p < pages; ++p) fresh_.push_back(p < first_ + kept ? page() : spare.take(layout.bytes()));
    if (copied) std::memcpy(fresh_.front().get(), of.pages[std::size_t(first_)].get(), std::size_t(layout.bytes()));
  }

  longer_text(longer_text&&) noexcept = default;
  ~longer_text() {
    for (page& each : fresh_) spare_->give(std::move(each));
  }

  interval places() const { return {of_->length, length_}; }
  std::byte* page_of(index_t key) const {
    const page& made = fresh_[std::size_t(key / page_keys - first_)];
    return made != nullptr ? made.get() : of_->page_of(key);
  }

  void commit() noexcept {
    of_->pages.resize(std::max(of_->pages.size(), std::size_t(first_) + fresh_.size()));
    for (std::size_t p = 0; p < fresh_.size(); ++p)
      if (fresh_[p] != nullptr) std::swap(of_->pages[std::size_t(first_) + p], fresh_[p]);
    of_->length = length_;
  }

 private:
  longer_text(text_pages<Storage>& of, index_t tokens, spare_pages& spare)
      : of_(&of), spare_(&spare), length_(of.length + tokens), first_(of.length / page_keys) {}

  text_pages<Storage>* of_;
  spare_pages* spare_;  // where pages come from, and go to if they are not committed
  index_t length_, first_;
  buffer<page> fresh_;  // from page first_ on; null where the text's own serves
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
