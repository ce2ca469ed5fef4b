#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include <longspan/cache/hadamard.hpp>
#include <longspan/cache/integer_keys.hpp>
#include <longspan/cache/integer_values.hpp>
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
    return {query.tokens_of(of.batch, of.queries), output.tokens_of(of.batch, of.queries),
            log_sum_exp.tokens_of(of.batch, of.queries), layout, pages + of.number};
  }
  template <class Other>
  cached_tensors<Storage, Q, Other> with_results(const view<Other>& other_output,
                                                 const view<typename words::compute>& other_log_sum_exp) const {
    return {query, other_output, other_log_sum_exp, layout, pages};
  }
  bool keeps_log_sum_exp() const { return log_sum_exp.extent[3] != 0; }
  // Keys and values are stored as `storage` turns them: so is a prepared query, and a row of output is turned back.
  static void begin(std::span<typename words::compute> row) { finish(row); }
  static void finish(std::span<typename words::compute> row) {
    if constexpr (cache_storage<Storage>::turned) detail::hadamard(row);
  }
};

// What multiplies the pages of a head, and what that works in: see integer_keys, where the instruction set multiplies integers.
template <class Storage>
inline constexpr bool in_integers = cache_storage<Storage>::per_word == 2;
template <class Storage>
using room_of_pages = std::conditional_t<in_integers<Storage>, integer_room, no_room>;
template <class Storage, class Ahead>
using keys_of_pages = std::conditional_t<in_integers<Storage>, integer_keys<Ahead>, paged_keys<Storage, Ahead>>;
template <class Storage, class Ahead>
using values_of_pages = std::conditional_t<in_integers<Storage>, integer_values<Ahead>, paged_values<Storage, Ahead>>;

// One of them with a room of its own.
template <class Storage, class Operand>
struct paged_operand final : room_of_pages<Storage>, Operand {
  using room = room_of_pages<Storage>;
  paged_operand(const page_layout<Storage>& of, const text_pages<Storage>& text, index_t head, index_t rows, nothing_ahead& ahead)
      : room(rows, of.channels, of.width()), Operand(of, text, head, static_cast<room&>(*this), ahead) {}
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

  auto keys(index_t w) { return operand<keys_of_pages<Storage, nothing_ahead>>(w); }
  auto values(index_t w) { return operand<values_of_pages<Storage, nothing_ahead>>(w); }

 private:
  template <class Operand>
  paged_operand<Storage, Operand> operand(index_t w) {
    const auto& tensors = heads_[w].text->tensors;
    constexpr index_t rows = page_layout<Storage>::shape::block::rows;
    return paged_operand<Storage, Operand>(*tensors.layout, *tensors.pages, heads_[w].head, rows, nothing_);
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
  static index_t side_by_side(const shapes&, index_t) { return 1; }

  // Whether two texts have the same pages of some keys.
  static bool share(const Text& one, const Text& other, interval keys) {
    return one.tensors.pages->shares(*other.tensors.pages, keys);
  }

  struct room : room_of_pages<Storage> {
    room(const tile_operands&, const shapes& lengths, index_t most_rows)
        : room_of_pages<Storage>(most_rows, lengths.channels, round_up(lengths.value_channels, shape::lanes)) {}
  };

  void append_first(std::span<const key_head<Text>> heads, interval needed, buffer<memory_rows>& to) const {
    const key_head<Text>& of = heads.front();
    const layout& pages = *of.text->tensors.layout;
    append(
        of, needed, to, pages.depth(), [&](std::byte* page, index_t key) { return pages.key_panel(page, of.head, key); },
        [&](std::byte* page) { return pages.key_scales(page, of.head); });
  }
  void append_second(std::span<const key_head<Text>> heads, interval needed, buffer<memory_rows>& to) const {
    const key_head<Text>& of = heads.front();
    const layout& pages = *of.text->tensors.layout;
    append(
        of, needed, to, pages.width(), [&](std::byte* page, index_t key) { return pages.value_row(page, of.head, key); },
        [&](std::byte* page) { return pages.value_scales(page, of.head); });
  }

  template <class Attend>
  void with(room& own, std::span<const key_head<Text>> heads, index_t, interval, read_ahead& ahead, Attend attend) const {
    const key_head<Text>& of = heads.front();
    const auto& tensors = of.text->tensors;
    // Where a register block is narrower than a panel of keys, the first passes the whole panel.
    constexpr index_t keys_at_once = shape::block::batches * shape::lanes < layout::panel ? layout::panel : 0;
    ahead.ask(shape::asked_ahead(keys_at_once * tensors.layout->depth() * index_t(sizeof(typename layout::number))));
    const keys_of_pages<Storage, read_ahead> keys(*tensors.layout, *tensors.pages, of.head, own, ahead);
    const values_of_pages<Storage, read_ahead> values(*tensors.layout, *tensors.pages, of.head, own, ahead);
    attend(static_cast<const key_operand<words>&>(keys), static_cast<const value_operand<words>&>(values));
  }

 private:
  // Where the panels of some keys lie, or their values: `numbers` for each key; and their scales.
  template <class At, class Scales>
  static void append(const key_head<Text>& of, interval needed, buffer<memory_rows>& to, index_t numbers, At at, Scales scales) {
    constexpr auto size = index_t(sizeof(typename layout::number));
    const interval panels{round_down(needed.first, layout::panel), round_up(needed.last, layout::panel)};
    detail::cut_at_multiples(panels, layout::keys, [&](interval some) {
      std::byte* const page = of.text->tensors.pages->page_of(some.first);
      if (page == nullptr) return;  // no row sees it, and it was given back
      const index_t first = some.first % layout::keys;
      if constexpr (layout::scaled)
        to.push_back(
            {reinterpret_cast<std::intptr_t>(scales(page) + first), 0, some.size() * index_t(sizeof(typename layout::T)), 1});
      to.push_back({reinterpret_cast<std::intptr_t>(at(page, first)), 0, some.size() * numbers * size, 1});
    });
  }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
