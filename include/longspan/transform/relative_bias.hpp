#pragma once

#include <concepts>
#include <string>
#include <type_traits>
#include <utility>

#include <longspan/core/index.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/require.hpp>
#include <longspan/core/shape_error.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/tensor/broadcast.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/traits.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/transform/bucket_sums.hpp>
#include <longspan/transform/concept.hpp>
#include <longspan/transform/distance_table.hpp>
#include <longspan/transform/distance_tables.hpp>
#include <longspan/transform/reach.hpp>
#include <longspan/transform/summing_tables.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Relative bias: z = s + B[head, bucket(t)], learned numbers by distance, t = i - j, negative for keys after the query. B is a tensor
// (heads or 1, buckets) of float, double, half or bfloat16, read where it lies; it must live as long as the mechanism. `bucket` maps a
// distance to a column: t5_buckets{}; or a function of one's own, as [](index_t t) { return std::min<index_t>(t, 127); }, which is asked
// for every distance from the smallest to the largest that a row may see. Its check(), if it has one, is called before anything is written.
// With dot_product{.scale = 1} and t5_buckets it is T5 (arXiv 1910.10683).
//
// `relative_bias{table, bucket, gradient}` also has its gradient written by the backward pass, a tensor of the extents of the table, which
// is overwritten: the sum over all rows and texts of the gradients of the logits, along diagonals, and from it that of whatever the table
// was computed from. The same bits for any device. While the call runs, sums take, for each head, a SIMD register for each bucket that many
// distances in a row share, and a number for every other distance.
//
// Throws shape_error where the table does not fit, std::invalid_argument for a bucket that it does not have.
template <class S, class Bucket, class D = void>
struct relative_bias;

template <class S, class Bucket>
struct relative_bias<S, Bucket, void> {
  static_assert(detail::are_numbers<S>());
  static_assert(std::invocable<const Bucket&, index_t>,
                "relative_bias{table, bucket}: bucket maps a distance to a column of the table");
  static constexpr stage order = stage::bias;
  view<const S> table;
  Bucket bucket;

  template <class X>
  relative_bias(X&& numbers, Bucket of) : table(detail::lasting_view_of(std::forward<X>(numbers))), bucket(std::move(of)) {}

  index_t heads() const { return table.extent[2]; }
  index_t buckets() const { return table.extent[3]; }
  index_t bucket_of(index_t t) const {
    const auto number = static_cast<index_t>(bucket(t));
    if (number < 0 || number >= buckets())
      throw std::invalid_argument("relative_bias: distance " + std::to_string(t) + " belongs to bucket " +
                                  std::to_string(number) + ", and the table has " + std::to_string(buckets()));
    return number;
  }
  double at(index_t t, index_t head) const {
    return static_cast<double>(table.data[(heads() == 1 ? 0 : head) * table.stride[2] + bucket_of(t) * table.stride[3]]);
  }

  // The definition, for one key at a time: the reference runs it.
  auto operator()(const query_row& row) const {
    return [part = *this, head = row.head](const auto& logit, const auto& keys) {
      return logit + part.at(keys.query - keys.first, head);
    };
  }
  template <class T>
  detail::distance_tables<T, false> prepare(const reach& distances) const {
    return {distances, distances.heads, [this](index_t t, index_t head) { return at(t, head); }};
  }

  void check(const shapes& lengths) const {
    if constexpr (requires { bucket.check(); }) bucket.check();
    detail::require_memory("relative_bias", table);
    if (table.extent[0] != 1 || table.extent[1] != 1)
      throw shape_error("relative_bias is (heads or 1, buckets): the axes before must have extent 1, not " +
                        std::to_string(table.extent[0]) + " and " + std::to_string(table.extent[1]));
    if (heads() != 1) detail::require_equal("relative_bias", "query", "heads", heads(), lengths.heads);
  }
  void for_each_tensor(auto visit) const { visit("relative_bias", table); }
};

namespace detail {

// Stands in for the part in a backward pass that asks for the gradient (mechanism/takers.hpp).
template <class T, class Part>
struct relative_bias_taker {
  static constexpr stage order = Part::order;
  Part part;
  bound_bucket_sums<T> sums = {};

  auto operator()(const query_row& row) const { return part(row); }
  template <class U>
  auto prepare(const reach& distances) const {
    return summing_tables<T, distance_tables<U, false>, false>{
        part.template prepare<U>(distances), sums.of(distances, 1, part.buckets(), [&](index_t t) { return part.bucket_of(t); })};
  }
  void check(const shapes& lengths) const { part.check(lengths); }
  void finish_gradient() const {
    const auto& to = part.gradient;
    for (index_t h = 0; h < part.heads(); ++h)
      for (index_t b = 0; b < part.buckets(); ++b)
        to.data[h * to.stride[2] + b * to.stride[3]] = static_cast<typename Part::number>(total(h, b));
  }

 private:
  // Of one head, or of all where they share a table.
  double total(index_t head, index_t bucket) const {
    double sum = 0;
    for (const auto& each : sums)
      for (index_t h = 0; h < each->distances().heads; ++h)
        if (part.heads() == 1 || h == head) sum += each->total(0, h, bucket);
    return sum;
  }
};

}  // namespace detail

template <class S, class Bucket, class D>
struct relative_bias : relative_bias<S, Bucket> {
  static_assert(detail::are_numbers<D>());
  using number = D;
  view<D> gradient;

  template <class X, class Y>
  relative_bias(X&& numbers, Bucket of, Y&& d_numbers)
      : relative_bias<S, Bucket>(std::forward<X>(numbers), std::move(of)),
        gradient(detail::writable(detail::lasting_view_of(std::forward<Y>(d_numbers)))) {}

  void check(const shapes& lengths) const {
    relative_bias<S, Bucket>::check(lengths);
    detail::require_gradient_of_part("d_relative_bias", gradient, "relative_bias", this->table,
                                     {"batch", "rows", "heads", "buckets"});
  }
  // As (batch, head, query, bucket): all queries share it.
  void for_each_gradient(auto visit) const {
    const auto& [batch, rows, heads, buckets] = gradient.extent;
    const auto& stride = gradient.stride;
    visit("d_relative_bias", view<D>{gradient.data, {batch, heads, rows, buckets}, {stride[0], stride[2], stride[1], stride[3]}});
  }

  template <class T>
  auto taker(const shapes&) const {
    return detail::relative_bias_taker<T, relative_bias>{*this};
  }
};

template <class X, class Bucket>
relative_bias(X&&, Bucket) -> relative_bias<detail::element_of<std::remove_cvref_t<X>>, Bucket>;
template <class X, class Bucket, class Y>
relative_bias(X&&, Bucket, Y&&)
    -> relative_bias<detail::element_of<std::remove_cvref_t<X>>, Bucket, detail::element_of<std::remove_cvref_t<Y>>>;

LONGSPAN_NAMESPACE_END
