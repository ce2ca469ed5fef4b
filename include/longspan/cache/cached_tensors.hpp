#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include <longspan/cache/paged_keys.hpp>
#include <longspan/cache/paged_values.hpp>
#include <longspan/cache/text_pages.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/text.hpp>
#include <longspan/kernel/bound_text.hpp>
#include <longspan/kernel/key_head.hpp>
#include <longspan/kernel/tile_operands.hpp>
#include <longspan/kernel/wave.hpp>
#include <longspan/kernel/wave_operands.hpp>
#include <longspan/simd/words.hpp>
#include <longspan/tensor/tokens_of.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/read_ahead.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Queries and results of a forward pass over a cache, and the pages that hold keys and values: what forward_tensors is to tensors.
template <class Storage, class Q, class Out>
struct cached_tensors {
  using storage = Storage;
  using words = number_words<typename cache_storage<Storage>::compute>;
  view<const Q> query;
  view<Out> output;
  view<typename words::compute> log_sum_exp;
  const page_layout<Storage>* layout;
  const text_pages<Storage>* pages;  // of every text; of one, its own

  template <class Visit>
  void for_each_read(Visit visit) const {
    visit("query", query);
  }
  cached_tensors tokens_of(const text& of) const {
    return {detail::tokens_of(query, of.batch, of.queries), detail::tokens_of(output, of.batch, of.queries),
            detail::tokens_of(log_sum_exp, of.batch, of.queries), layout, pages + of.number};
  }
  bool keeps_log_sum_exp() const { return log_sum_exp.extent[3] != 0; }
};

// A prefill over a cache multiplies its pages as they are.
template <class Mechanism, class Storage, class Q, class Out>
class wave_operands<bound_text<Mechanism, cached_tensors<Storage, Q, Out>>> {
  using Text = bound_text<Mechanism, cached_tensors<Storage, Q, Out>>;

 public:
  wave_operands(std::span<const Text>, const wave<Text>& heads, index_t) : heads_(heads) {}

  static index_t room() { return std::numeric_limits<index_t>::max(); }
  static index_t size(const key_head<Text>&) { return 1; }
  void begin() {}
  static index_t items() { return 0; }
  void prepare(index_t, index_t) {}

  auto keys(index_t w) { return operand<paged_keys<Storage, nothing_ahead>>(w); }
  auto values(index_t w) { return operand<paged_values<Storage, nothing_ahead>>(w); }

 private:
  template <class Operand>
  Operand operand(index_t w) {
    const auto& tensors = heads_[w].text->tensors;
    return Operand(*tensors.layout, *tensors.pages, heads_[w].head, nothing_);
  }

  const wave<Text>& heads_;
  nothing_ahead nothing_;
};

// Decoding over a cache reads its pages as they are, and ahead of itself.
template <class Mechanism, class Storage, class Q, class Out>
class tile_operands<bound_text<Mechanism, cached_tensors<Storage, Q, Out>>> {
  using Text = bound_text<Mechanism, cached_tensors<Storage, Q, Out>>;
  using layout = page_layout<Storage>;
  using words = number_words<typename layout::T>;
  using shape = tile_shape<typename layout::T>;

 public:
  explicit tile_operands(std::span<const Text>) {}
  static bool heads_side_by_side() { return true; }

  struct room {
    room(const tile_operands&, const shapes&, index_t) {}
  };

  void append_first(const key_head<Text>& of, interval needed, buffer<memory_rows>& to) const {
    const layout& pages = *of.text->tensors.layout;
    append(of, needed, to, pages.channels, [&](std::byte* page, index_t key) { return pages.key_panel(page, of.head, key); });
  }
  void append_second(const key_head<Text>& of, interval needed, buffer<memory_rows>& to) const {
    const layout& pages = *of.text->tensors.layout;
    append(of, needed, to, pages.width(), [&](std::byte* page, index_t key) { return pages.value_row(page, of.head, key); });
  }

  template <class Attend>
  void with(room&, const key_head<Text>& of, index_t, interval, read_ahead& ahead, Attend attend) const {
    const auto& tensors = of.text->tensors;
    ahead.ask(shape::asked_ahead(0));
    const paged_keys<Storage, read_ahead> keys(*tensors.layout, *tensors.pages, of.head, ahead);
    const paged_values<Storage, read_ahead> values(*tensors.layout, *tensors.pages, of.head, ahead);
    attend(static_cast<const key_operand<words>&>(keys), static_cast<const value_operand<words>&>(values));
  }

 private:
  // Where the panels of some keys lie, or their values: `numbers` for each key.
  template <class At>
  static void append(const key_head<Text>& of, interval needed, buffer<memory_rows>& to, index_t numbers, At at) {
    constexpr auto size = index_t(sizeof(typename layout::number));
    for (index_t first = round_down(needed.first, layout::panel); first < needed.last; first += layout::panel) {
      std::byte* const page = of.text->tensors.pages->page_of(first);
      if (page == nullptr) continue;  // no row sees it, and it was given back
      const auto* const from = at(page, first % layout::keys);
      to.push_back({reinterpret_cast<std::intptr_t>(from), 0, layout::panel * numbers * size, 1});
    }
  }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
