#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

#include <longspan/core/device.hpp>
#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/kernel/negligible_keys.hpp>
#include <longspan/kernel/wave.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/bound.hpp>
#include <longspan/mechanism/kept_keys.hpp>
#include <longspan/mechanism/logit_bound.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/kept_blocks.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A mechanism bound to a text whose rows attend to what is kept alone. Moves what it is made of.
template <class Rows, class Score, class Transforms, class Seen, class Dropouts, class Sinks, class Keys>
auto narrowed(bound<Rows, Score, Transforms, Seen, Dropouts, Sinks>& of, const Keys& keys) {
  using kept = kept_keys<Seen>;
  auto seen =
      std::allocate_shared<kept>(recycled<kept>(), of.seen, of.lengths, [&](index_t h, index_t i) { return keys.kept(h, i); });
  return bound<Rows, Score, Transforms, kept, Dropouts, Sinks>{of.of,
                                                               of.lengths,
                                                               std::move(of.rows),
                                                               std::move(of.score),
                                                               std::move(of.transforms),
                                                               std::move(seen),
                                                               std::move(of.dropouts),
                                                               std::move(of.sinks)};
}

// Finds the keys that the rows of texts can do without.
template <device D, class Keys>
void find_negligible(const D& d, buffer<Keys>& texts) {
  constexpr index_t rows_at_once = 32;
  wave_items panels, rows;
  for (index_t t = 0; t < index_t(texts.size()); ++t) {
    panels.add(t, {0, texts[std::size_t(t)].panels()});
    rows.add(t, {0, round_up(texts[std::size_t(t)].rows(), rows_at_once) / rows_at_once});
  }
  buffer<typename Keys::room> rooms;
  for (index_t t = 0; t < detail::threads_of(d); ++t) rooms.emplace_back(texts[0].lengths());
  detail::for_each_item(d, panels.count(), [&](index_t thread, index_t item) {
    texts[std::size_t(panels[item].head)].measure(panels[item].piece, rooms[std::size_t(thread)]);
  });
  detail::for_each_item(d, rows.count(), [&](index_t thread, index_t item) {
    Keys& own = texts[std::size_t(rows[item].head)];
    const index_t first = rows[item].piece * rows_at_once, last = std::min(first + rows_at_once, own.rows());
    for (index_t row = first; row < last; ++row) own.ask(row, rooms[std::size_t(thread)]);
  });
}

// What is bound to the texts of a call: as it is, or, where the sentence has skip_negligible, so that rows attend to no key that they can
// do without.
template <device D, class... Parts, class Mechanism, class Tensors>
auto without_negligible(const D& d, const mechanism<Parts...>&, buffer<Mechanism> texts, const Tensors& tensors) {
  if constexpr ((is_skipping<Parts> || ...)) {
    using Bounds = decltype(detail::logit_bounds_of(texts[0].transforms));
    using Keys = negligible_keys<Mechanism, Tensors, Bounds>;
    buffer<decltype(detail::narrowed(texts[0], std::declval<const Keys&>()))> made;
    if (texts.empty()) return made;
    const Bounds bounds = detail::logit_bounds_of(texts[0].transforms);
    buffer<Keys> keys;
    for (const Mechanism& text : texts) keys.emplace_back(text, tensors.tokens_of(text.of), bounds);
    detail::find_negligible(d, keys);
    for (std::size_t t = 0; t < texts.size(); ++t) made.push_back(detail::narrowed(texts[t], keys[t]));
    return made;
  } else {
    return texts;
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
