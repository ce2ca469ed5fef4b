#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <span>
#include <type_traits>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/key_set.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/kernel/prepare_row.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/lanes.hpp>
#include <longspan/simd/row.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/transform/keys.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What a row may still skip: weights that sum to 2^-(digits + 1) of that of a logit which is known not to be above its largest.
template <class T>
class negligible_share {
 public:
  explicit negligible_share(double known) : known_(known) {}

  // Whether `keys` more keys with logits of at most `most` may be skipped. A logit that is NaN may not.
  bool skip(index_t keys, double most) {
    const double exponent = (most - known_) * std::numbers::log2e;
    if (!(exponent < 0)) return false;
    // (1 + f) 2^e, at least 2^(e + f): the bits of a double, read as an integer, are its logarithm from power to power of two.
    const double power = std::bit_cast<double>(std::int64_t((std::max(exponent, -1000.0) + 1023) * 0x1p52));
    if (double(keys) * power > left_) return false;
    left_ -= double(keys) * power;
    return true;
  }

 private:
  double known_;
  double left_ = std::numeric_limits<T>::epsilon() / 4;
};

// Of one text, the keys that rows can do without (softmax/skip_negligible.hpp). First every panel of keys is measured, then every row
// asked. Work on different panels, and then on different rows, may be shared by threads.
template <class Mechanism, class Tensors, class Bounds>
class negligible_keys {
  using Words = typename Tensors::words;
  using T = typename Words::compute;
  using Batch = batch<T>;
  static constexpr double infinity = std::numeric_limits<double>::infinity();

 public:
  // Refers to all but the views of the tensors.
  negligible_keys(const Mechanism& mechanism, const Tensors& tensors, const Bounds& bounds)
      : mechanism_(&mechanism),
        tensors_(tensors),
        bounds_(&bounds),
        panels_(round_up(lengths().keys, panel_keys) / panel_keys),
        norm_(std::size_t(lengths().key_heads * lengths().keys)),
        most_(std::size_t(lengths().key_heads * panels_)),
        kept_(std::size_t(lengths().heads * lengths().queries)) {}

  // What a thread works in.
  struct room {
    buffer<T> query, key, value;
    explicit room(const shapes& lengths)
        : query(std::size_t(lengths.channels)), key(query.size()), value(std::size_t(lengths.value_channels)) {}
  };

  const shapes& lengths() const { return mechanism_->lengths; }
  index_t panels() const { return index_t(most_.size()); }
  index_t rows() const { return index_t(kept_.size()); }

  // The norms of the prepared keys of a panel, infinite where one is not finite or the key's value is not: these are never skipped.
  void measure(index_t panel, room& own) {
    const index_t g = panel / panels_, first = panel % panels_ * panel_keys;
    const auto values = tensors_.value.head(0, g);
    double most = 0;
    for (index_t j = first; j < std::min(first + panel_keys, lengths().keys); ++j) {
      copy_row(values.row(j), values.channel_stride, own.value.data(), 1, values.channels);
      const double norm = norm_of(prepared_key(g, j, own.key));
      const bool finite = std::isfinite(norm) && std::isfinite(norm_of(own.value));
      norms(g)[j] = finite ? norm : infinity;
      most = std::max(most, norms(g)[j]);
    }
    most_[std::size_t(panel)] = most;
  }

  // Finds what a row must attend to: from the first panel to the last one that it cannot do without.
  void ask(index_t row, room& own) {
    const index_t h = row / lengths().queries, i = row % lengths().queries;
    const query_row told = mechanism_->row(h, i);
    const auto seen = mechanism_->seen->keys_of(h, i);
    interval panels{seen.hull().first / panel_keys, round_up(seen.hull().last, panel_keys) / panel_keys};
    const std::span<const T> query = prepared(tensors_.query.head(0, h), i, own.query, [&](std::span<T> channels) {
      mechanism_->query(channels, mechanism_->query_token(told));
    });
    if (const double known = known_logit(told, i, seen, query, own); std::isfinite(known)) {
      const auto most = bounds_->template of_row<T>(told, norm_of(query));
      negligible_share<T> share(known);
      const auto skip = [&](index_t p) { return may_skip(share, most, h / lengths().group(), p, seen); };
      while (!panels.empty() && skip(panels.first)) ++panels.first;
      while (!panels.empty() && skip(panels.last - 1)) --panels.last;
    }
    const index_t origin = lengths().first_key;
    kept_[std::size_t(row)] = {origin + panels.first * panel_keys, origin + panels.last * panel_keys};
  }

  // In places.
  interval kept(index_t head, index_t query) const { return kept_[std::size_t(head * lengths().queries + query)]; }

 private:
  // Whether what a row sees of a panel may be skipped. What it does not see has no say.
  template <class Most, class Seen>
  bool may_skip(negligible_share<T>& share, const Most& most, index_t g, index_t p, const Seen& seen) const {
    const index_t first = p * panel_keys, origin = lengths().first_key + first;
    const std::uint64_t bits = seen.bits(first);
    if (bits == ~std::uint64_t(0))
      return share.skip(panel_keys, most(most_[std::size_t(g * panels_ + p)], {origin, origin + panel_keys}));
    bool all = true;
    for_each_run_of_bits(bits, [&](interval run) {
      const double norm = *std::max_element(norms(g) + first + run.first, norms(g) + first + run.last);
      all = all && share.skip(run.size(), most(norm, {origin + run.first, origin + run.last}));
    });
    return all;
  }

  // A logit that the row's largest is not below: that of the nearest key, under transforms that fall with the distance often the largest.
  // The backward pass knows the logarithm of the sum over all of them. NaN where nothing may be skipped.
  template <class Seen>
  double known_logit(const query_row& told, index_t i, const Seen& seen, std::span<const T> query, room& own) const {
    if constexpr (requires { tensors_.d_output; }) {
      return gradients_are_finite(told.head, i) ? double(*tensors_.log_sum_exp.head(0, told.head).row(i)) : infinity;
    } else {
      const interval hull = seen.hull();
      if (hull.empty()) return infinity;
      const index_t origin = lengths().first_key, j = std::clamp(told.position - origin, hull.first, hull.last - 1);
      if (!detail::contains(seen, j)) return infinity;
      const auto logits = mechanism_->transforms.of_products(told);
      const T score = simd::dot<T>(query, prepared_key(told.head / lengths().group(), j, own.key)) * T(logits.factor.value);
      return double(simd::first_lane(
          logits.function(Batch(score), keys_under<Batch>{origin + j, told.position, simd::lane_numbers<Batch>()})));
    }
  }
  // Where they are not, they reach every key that the row sees.
  bool gradients_are_finite(index_t h, index_t i) const {
    const auto output = tensors_.output.head(0, h);
    const auto d_output = tensors_.d_output.head(0, h);
    T mean = tensors_.with_log_sum_exp() ? *tensors_.d_log_sum_exp.head(0, h).row(i) : T(0);
    for (index_t c = 0; c < output.channels; ++c)
      mean += T(output.row(i)[c * output.channel_stride]) * T(d_output.row(i)[c * d_output.channel_stride]);
    return std::isfinite(mean);
  }

  std::span<const T> prepared_key(index_t g, index_t j, buffer<T>& to) const {
    return prepared(tensors_.key.head(0, g), j, to, [&](std::span<T> row) { mechanism_->key(row, mechanism_->key_token(g, j)); });
  }
  template <class S, class Prepare>
  static std::span<const T> prepared(const head_view<const S>& from, index_t token, buffer<T>& to, Prepare prepare) {
    const std::span<T> row(to);
    copy_row(from.row(token), from.channel_stride, row.data(), 1, from.channels);
    prepare(row);
    detail::round_row<Words>(row);
    return row;
  }

  // At least the norm, but for rounding: the square of a number may underflow.
  static double norm_of(std::span<const T> row) {
    return std::sqrt(double(simd::dot<T>(row, row)) + double(row.size()) * double(std::numeric_limits<T>::min()));
  }

  double* norms(index_t g) { return norm_.data() + g * lengths().keys; }
  const double* norms(index_t g) const { return norm_.data() + g * lengths().keys; }

  const Mechanism* mechanism_;
  Tensors tensors_;
  const Bounds* bounds_;
  index_t panels_;              // of one key head
  buffer<double> norm_, most_;  // of every key, and the largest of every panel
  buffer<interval> kept_;       // of every row, in places
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
