#pragma once

#include <cstddef>
#include <span>
#include <tuple>
#include <type_traits>

#include <longspan/cache/summand_of_keys.hpp>
#include <longspan/core/device.hpp>
#include <longspan/core/index.hpp>
#include <longspan/core/text.hpp>
#include <longspan/core/token.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/batch_of_texts.hpp>
#include <longspan/mechanism/bind.hpp>
#include <longspan/position/concept.hpp>
#include <longspan/position/rotate.hpp>
#include <longspan/tensor/aliasing.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/eigen.hpp>
#include <longspan/tensor/placement.hpp>
#include <longspan/tensor/traits.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Turns keys k (batch, key_head, key, channel) as the row parts and the score of a sentence do, once, into memory of the caller's of the
// same extents and any storage: pages of an engine, a token at a time or many. Where they stand in their texts `where` says: first_key,
// key_lengths or key_starts (then query_starts are the same). Narrow storage rounds a prepared key once. Throws shape_error where extents
// differ or memory is shared, and what the parts throw; nothing is then written.
template <device D, class... Parts, class K, class Prepared>
void prepare_keys(const D& d, const mechanism<Parts...>& whole, const K& k, Prepared&& prepared, const placement& where = {}) {
  static_assert(detail::hold_numbers<K, Prepared>() && detail::are_writable<Prepared>());
  const auto from = detail::view_of(k);
  const auto to = detail::view_of(prepared);
  using T = detail::compute_t<detail::element_of<K>>;
  static_assert(std::is_same_v<T, detail::compute_t<detail::element_of<Prepared>>>,
                "double does not mix with narrower numbers: keys and prepared keys compute in one precision");
  detail::require_distinct("prepared keys", to);
  detail::require_apart("prepared keys", to, "key", from);
  detail::batch_of_texts batch(from, from, from, where);
  detail::require_like("prepared keys", to, "key", from);
  for (detail::text& each : batch.texts) each.queries = {};
  const auto& of_keys = detail::summand_of_keys(whole, batch.lengths);
  detail::check_parts<detail::place::rows, detail::place::score>(of_keys, batch.lengths, batch.texts);
  const auto rows = detail::bind_rows<T>(of_keys, batch.lengths, batch.texts);
  const auto score = std::get<0>(detail::pick<detail::place::score>(of_keys, detail::unchanged));
  const index_t heads = batch.lengths.key_heads;
  detail::for_each_item(d, index_t(batch.texts.size()) * heads, [&](index_t, index_t item) {
    const detail::text& own = batch.texts[std::size_t(item / heads)];
    const auto source = from.head(own.batch, item % heads);
    const auto target = to.head(own.batch, item % heads);
    detail::buffer<T> numbers(std::size_t(source.channels), T(0));
    const std::span<T> row(numbers);
    for (index_t j = own.keys.first; j < own.keys.last; ++j) {
      const token of = own.at(token::role::key, own.first_key + j - own.keys.first, item % heads);
      detail::copy_row(source.row(j), source.channel_stride, row.data(), 1, source.channels);
      std::apply([&](const auto&... each) { (detail::turn(each, row, of), ...); }, rows);
      score.key(row);
      detail::copy_row(row.data(), 1, target.row(j), target.channel_stride, source.channels);
    }
  });
}
// Without a device, on the calling thread.
template <class... Parts, class K, class Prepared>
void prepare_keys(const mechanism<Parts...>& whole, const K& k, Prepared&& prepared, const placement& where = {}) {
  longspan::prepare_keys(Eigen::DefaultDevice{}, whole, k, prepared, where);
}

LONGSPAN_NAMESPACE_END
