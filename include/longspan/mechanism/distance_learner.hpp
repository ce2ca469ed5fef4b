#pragma once

#include <concepts>
#include <cstddef>
#include <tuple>
#include <utility>
#include <vector>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/mechanism/parameters_of.hpp>
#include <longspan/transform/bucket_sums.hpp>
#include <longspan/transform/distance_table.hpp>
#include <longspan/transform/reach.hpp>
#include <longspan/transform/summing_tables.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A transform with learned numbers that is z = s + shift or, where it is `scaled`, z = scale s + shift, with numbers of the distance, and
// of the head where it is `by_head`: at(t, head) is an affine, or what converts to one.
template <class P>
concept learns_by_distance = has_parameters<P> && requires(const P& part, index_t t) {
  { part.at(t, t) } -> std::convertible_to<affine>;
  { P::scaled } -> std::convertible_to<bool>;
  { P::by_head } -> std::convertible_to<bool>;
};

// Stands in for such a transform in a backward pass that differentiates by learned numbers (mechanism/takers.hpp). The gradients of its
// tables are summed along diagonals, as many numbers as there are distances; those of any number of learned numbers follow from them, by
// the derivatives of the function at each distance.
template <class T, class Part>
struct distance_learner {
  Part part;
  index_t heads;
  bound_bucket_sums<T> sums = {};

  auto operator()(const query_row& row) const { return part(row); }
  template <class U>
  auto prepare(const reach& distances) const {
    auto tables = part.template prepare<U>(distances);
    const interval seen = distances.seen;
    return summing_tables<T, decltype(tables), Part::scaled>{
        std::move(tables), sums.of(distances, Part::scaled ? 2 : 1, seen.size(), [=](index_t t) { return t - seen.first; })};
  }

  // By each learned number, that of each head.
  std::vector<std::vector<double>> derivatives() const {
    std::vector<std::vector<double>> by_number;
    [&]<std::size_t... Number>(std::index_sequence<Number...>) {
      (by_number.push_back(derivatives<Number>()), ...);
    }(std::make_index_sequence<parameter_count<Part>>{});
    return by_number;
  }

 private:
  template <std::size_t Number>
  std::vector<double> derivatives() const {
    Part seeded = part;
    detail::seed(std::get<Number>(detail::parameters_of(seeded)));
    std::vector<double> by_head(static_cast<std::size_t>(heads));
    for (const auto& each : sums)
      for (index_t like = 0; like < (Part::by_head ? heads : 1); ++like) {
        const interval some = Part::by_head ? interval{like, like + 1} : interval{0, heads};
        const interval seen = each->distances().seen;
        for (index_t t = seen.first; t < seen.last; ++t) {
          const affine slopes = seeded.at(t, like);
          for (index_t h = some.first; h < some.last; ++h)
            by_head[std::size_t(h)] += product(each->total(0, h, t - seen.first), slopes.shift.slope) +
                                       (Part::scaled ? product(each->total(1, h, t - seen.first), slopes.scale.slope) : 0);
        }
      }
    return by_head;
  }

  // Where nothing was summed the slope may be infinite or NaN.
  static double product(double total, double slope) { return total == 0 ? 0 : total * slope; }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
