#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <span>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/key_set.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/kernel/prepare_row.hpp>
#include <longspan/mechanism/logit_bound.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/lanes.hpp>
#include <longspan/simd/row.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/transform/keys.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Of one text, the keys that rows can do without (softmax/skip_negligible.hpp). First every panel of keys is measured, then every row asked.
// Work on different panels, and then on different rows, may be shared by threads.
template <class Mechanism, class Tensors>
class negligible_keys {
  using Words = typename Tensors::words;
  using T = typename Words::compute;
  using Batch = batch<T>;
  static constexpr double infinity = std::numeric_limits<double>::infinity();

 public:
  negligible_keys(const Mechanism& mechanism, const Tensors& tensors)
      : mechanism_(&mechanism),
        tensors_(tensors),
        panels_(round_up(lengths().keys, panel_keys) / panel_keys),
        norm_(std::size_t(lengths().key_heads * lengths().keys)),
        most_(std::size_t(lengths().key_heads * panels_)),
        kept_(std::size_t(lengths().heads * lengths().queries)) {}

  const shapes& lengths() const { return mechanism_->lengths; }
  index_t panels() const { return index_t(most_.size()); }
  index_t rows() const { return index_t(kept_.size()); }

  // What a thread works in.
  struct room {
    buffer<T> query, key;
    explicit room(index_t channels) : query(std::size_t(channels)), key(std::size_t(channels)) {}
  };

  // The norms of the prepared keys of a panel, infinite where one is not finite or the key's value is not: its keys are never skipped.
  void measure(index_t panel, room& own) {
    const index_t g = panel / panels_, first = panel % panels_ * panel_keys;
    double most = 0;
    for (index_t j = first; j < std::min(first + panel_keys, lengths().keys); ++j) {
      const double norm = norm_of(prepared_key(g, j, own.key));
      const bool finite = std::isfinite(norm) && is_finite(tensors_.value.head(0, g), j);
      norms(g)[std::size_t(j)] = finite ? norm : infinity;
      most = std::max(most, norms(g)[std::size_t(j)]);
    }
    most_[std::size_t(panel)] = most;
  }

  // Finds what a row must attend to: from the first panel to the last one that it cannot do without.
  void ask(index_t row, room& own) {
    const index_t h = row / lengths().queries, i = row % lengths().queries;
    const query_row told = mechanism_->row(h, i);
    const auto seen = mechanism_->seen->keys_of(h, i);
    interval panels{seen.hull().first / panel_keys, round_up(seen.hull().last, panel_keys) / panel_keys};
    const std::span<const T> query = prepared_query(told, i, own.query);
    const double known = known_logit(told, i, seen, query, own.key);
    const double beyond = known - std::log(double(told.seen)) - (std::numeric_limits<T>::digits + 1) * std::numbers::ln2;
    if (std::isfinite(beyond)) {
      const auto most = logit_bound_of<T>(mechanism_->transforms, told, norm_of(query));
      const auto negligible = [&](index_t p) { return is_negligible(most, h / lengths().group(), p, seen, beyond); };
      while (!panels.empty() && negligible(panels.first)) ++panels.first;
      while (!panels.empty() && negligible(panels.last - 1)) --panels.last;
    }
    const index_t origin = lengths().first_key;
    kept_[std::size_t(row)] = {origin + panels.first * panel_keys, origin + panels.last * panel_keys};
  }

  // In places.
  interval kept(index_t head, index_t query) const { return kept_[std::size_t(head * lengths().queries + query)]; }

 private:
  // Whether every key of a panel that the row sees is certain to be below a logit. NaN is below none.
  template <class Most, class Seen>
  bool is_negligible(const Most& most, index_t g, index_t p, const Seen& seen, double beyond) const {
    const index_t first = p * panel_keys, origin = lengths().first_key;
    const std::uint64_t bits = seen.bits(first);
    if (bits == ~std::uint64_t(0))
      return most(most_[std::size_t(g * panels_ + p)], {origin + first, origin + first + panel_keys}) < beyond;
    bool all = true;
    for_each_run_of_bits(bits, [&](interval run) {
      double norm = 0;
      for (index_t j = run.first; j < run.last; ++j) norm = std::max(norm, norms(g)[std::size_t(first + j)]);
      all = all && most(norm, {origin + first + run.first, origin + first + run.last}) < beyond;
    });
    return all;
  }

  // A logit that the largest of the row is not below. The backward pass has the sum over all of them. It skips nothing for a row whose
  // gradients are not finite: they reach every key that the row sees.
  template <class Seen>
  double known_logit(const query_row& told, index_t i, const Seen& seen, std::span<const T> query, buffer<T>& key_room) const {
    if constexpr (requires { tensors_.d_output; }) {
      const auto output = tensors_.output.head(0, told.head);
      const auto d_output = tensors_.d_output.head(0, told.head);
      double mean = tensors_.with_log_sum_exp() ? double(*tensors_.d_log_sum_exp.head(0, told.head).row(i)) : 0.0;
      for (index_t c = 0; c < output.channels; ++c)
        mean += double(T(output.row(i)[c * output.channel_stride])) * double(T(d_output.row(i)[c * d_output.channel_stride]));
      return std::isfinite(mean) ? double(*tensors_.log_sum_exp.head(0, told.head).row(i)) : infinity;
    } else {
      const interval hull = seen.hull();
      if (hull.empty()) return infinity;
      // The nearest key, under transforms that fall with the distance the largest logit as often as not.
      const index_t origin = lengths().first_key, j = std::clamp(told.position - origin, hull.first, hull.last - 1);
      if (!detail::contains(seen, j)) return infinity;
      const auto logits = mechanism_->transforms.of_products(told);
      const T score = simd::dot<T>(query, prepared_key(told.head / lengths().group(), j, key_room)) * T(logits.factor.value);
      return double(simd::first_lane(
          logits.function(Batch(score), keys_under<Batch>{origin + j, told.position, simd::lane_numbers<Batch>()})));
    }
  }

  std::span<const T> prepared_key(index_t g, index_t j, buffer<T>& to) const {
    return prepared(tensors_.key.head(0, g), j, to, [&](std::span<T> row) { mechanism_->key(row, mechanism_->key_token(g, j)); });
  }
  std::span<const T> prepared_query(const query_row& told, index_t i, buffer<T>& to) const {
    return prepared(tensors_.query.head(0, told.head), i, to,
                    [&](std::span<T> row) { mechanism_->query(row, mechanism_->query_token(told)); });
  }
  template <class S, class Prepare>
  static std::span<const T> prepared(const head_view<const S>& from, index_t token, buffer<T>& to, Prepare prepare) {
    const std::span<T> row(to);
    copy_row(from.row(token), from.channel_stride, row.data(), 1, from.channels);
    prepare(row);
    detail::round_row<Words>(row);
    return row;
  }

  static double norm_of(std::span<const T> row) {
    double sum = 0;
    for (const T channel : row) sum += double(channel) * double(channel);
    return std::sqrt(sum);
  }
  template <class S>
  static bool is_finite(const head_view<const S>& values, index_t token) {
    bool finite = true;
    for (index_t c = 0; c < values.channels; ++c)
      finite = finite && std::isfinite(static_cast<T>(values.row(token)[c * values.channel_stride]));
    return finite;
  }

  std::span<double> norms(index_t g) { return std::span(norm_).subspan(std::size_t(g * lengths().keys)); }
  std::span<const double> norms(index_t g) const { return std::span(norm_).subspan(std::size_t(g * lengths().keys)); }

  const Mechanism* mechanism_;
  Tensors tensors_;
  index_t panels_;              // of one key head
  buffer<double> norm_, most_;  // of every key, and the largest of every panel
  buffer<interval> kept_;       // of every row, in places
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
