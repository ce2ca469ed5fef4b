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

// What says how large the logits of a transform can be: what it makes for that once per call, or the transform itself.
template <class F>
auto bound_of_transform(const F& f) {
  constexpr bool is_factor = std::is_same_v<std::remove_cvref_t<decltype(f(query_row{}))>, row_factor>;
  constexpr bool prepares = requires { f.prepare_bound(); };
  static_assert(
      is_factor || prepares || bounds_logits<F>,
      "skip_negligible needs at_most(row) of every transform, which says what its logits can be: see the concept transform");
  if constexpr (prepares)
    return f.prepare_bound();
  else
    return f;
}

// What the logits of one row are at most: a factor of the row says it by itself.
template <class F>
auto most_of(const F& f, const query_row& row) {
  if constexpr (bounds_logits<F>)
    return f.at_most(row);
  else
    return [factor = f(row).factor.value](double score, interval) {
      return factor >= 0 ? factor * score : std::numeric_limits<double>::infinity();
    };
}

// The same of all transforms, for keys of an interval of places whose prepared rows have norms of at most `norm`.
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

// What bounds the logits of every row of a call.
template <class... Bounds>
struct logit_bounds {
  double scale;
  std::tuple<Bounds...> each;

  // `norm` is that of the row's prepared query. Rounding makes a dot product that is summed in T larger than that of the norms, and the
  // norms smaller than they are.
  template <class T>
  auto of_row(const query_row& row, double norm) const {
    const double rounding = 1 + double(row.channels + 8) * 2 * double(std::numeric_limits<T>::epsilon());
    return std::apply(
        [&](const auto&... one) {
          return logit_bound<decltype(detail::most_of(one, row))...>{std::abs(scale) * norm * rounding,
                                                                     {detail::most_of(one, row)...}};
        },
        each);
  }
};

template <class... Transforms>
auto logit_bounds_of(const bound_transforms<std::tuple<Transforms...>>& transforms) {
  return std::apply(
      [&](const auto&... one) {
        return logit_bounds<decltype(detail::bound_of_transform(one))...>{transforms.scale, {detail::bound_of_transform(one)...}};
      },
      transforms.transforms);
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
