#pragma once

#include <cmath>
#include <concepts>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/mechanism/bound_transforms.hpp>
#include <longspan/transform/temperature.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

template <class F>
concept bounds_logits = requires(const F& f, const query_row& row) {
  { f.at_most(row)(0.0, interval{}) } -> std::convertible_to<double>;
};

// What one transform's logits of a row are at most: most(score, keys). A factor of the row needs no at_most of its own.
template <class F>
auto most_of(const F& f, const query_row& row) {
  constexpr bool is_factor = std::is_same_v<std::remove_cvref_t<decltype(f(row))>, row_factor>;
  static_assert(
      bounds_logits<F> || is_factor,
      "skip_negligible needs at_most(row) of every transform, which says what its logits can be: see the concept transform");
  if constexpr (bounds_logits<F>)
    return f.at_most(row);
  else if constexpr (is_factor)
    return [factor = f(row).factor.value](double score, interval) {
      return factor >= 0 ? factor * score : std::numeric_limits<double>::infinity();
    };
  else
    return [](double, interval) { return 0.0; };
}

// What the logits of one row are at most, for keys of an interval of places whose prepared rows have norms of at most `norm`.
template <class... Most>
struct logit_bound {
  double factor;  // of the norms
  std::tuple<Most...> each;

  double operator()(double norm, interval keys) const {
    double most = factor * norm;
    if (!(most < std::numeric_limits<double>::infinity()))
      return most;  // of NaN and infinity nothing is promised, whatever bounds them later
    std::apply([&](const auto&... one) { ((most = one(most, keys)), ...); }, each);
    return most;
  }
};

// `norm` is that of the row's prepared query. Whoever multiplies in T makes a dot product larger than that of the norms by rounding.
template <class T, class... Transforms>
auto logit_bound_of(const bound_transforms<std::tuple<Transforms...>>& transforms, const query_row& row, double norm) {
  const double rounding = 1 + double(row.channels + 8) * 2 * double(std::numeric_limits<T>::epsilon());
  return std::apply(
      [&](const auto&... each) {
        return logit_bound<decltype(detail::most_of(each, row))...>{std::abs(transforms.scale) * norm * rounding,
                                                                    {detail::most_of(each, row)...}};
      },
      transforms.transforms);
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
