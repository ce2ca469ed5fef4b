#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <longspan/core/query_row.hpp>
#include <longspan/core/shape_error.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/tensor/broadcast.hpp>
#include <longspan/tensor/checked.hpp>
#include <longspan/tensor/traits.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/kept_blocks.hpp>
#include <longspan/transform/concept.hpp>
#include <longspan/transform/forgetting_sums.hpp>
#include <longspan/transform/gradient_taker.hpp>
#include <longspan/transform/key_numbers.hpp>
#include <longspan/transform/key_sums.hpp>
#include <longspan/transform/least_numbers.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Forgetting transformer: z = s + c_i - c_j, c_i the sum of the logs of the forget gates of tokens up to i, so that the weight of key j
// decays with what was forgotten since (arXiv 2503.02130, section 3). c is (batch, head, token) with the tokens of the keys, as tensors of
// rank 1 to 3 or a view of (batch, head, token, 1), float, double, half or bfloat16, any strides; a batch or a head axis of extent 1 stands
// for all. It is read where it lies and must live as long as the mechanism. A query that stands before the first token has c = 0. Each c is
// rounded to the precision of the computation before the difference is taken: of large c, such as sums over a long text, take the last one
// from all, in double. A gate of exactly 0, whose log is -infinity, leaves every later row without a number: give it a least value.
//
// `forgetting{c, gradient}` has the gradient of c written by the backward pass, of the same extents: the same bits for any device. It takes
// memory during the call, a batch of numbers for each token and head.
//
// Under skip_negligible it takes memory for two doubles for each number of c during the call.
//
// Throws shape_error where c does not fit the call or has no number for the token of a query (parts of the keys that end before it), where
// the gradient has other extents than c, and where it shares memory with itself or with any tensor of the call.
template <class S, class D = void>
struct forgetting;

namespace detail {

template <class S>
struct forgetting_row {
  key_numbers<S> of_keys;
  double of_query;

  auto operator()(const auto& logit, const auto& keys) const {
    const auto c = keys.read(of_keys);
    using Numbers = std::remove_const_t<decltype(c)>;
    return logit + (Numbers(static_cast<simd::scalar<Numbers>>(of_query)) - c);
  }
};

// What logits are at most: s + c_i less the least c_j, and the rounding of both to floats.
template <class S>
class forgetting_bound {
 public:
  explicit forgetting_bound(const forgetting<S>& part)
      : part_(part), least_(std::allocate_shared<least_numbers<S>>(recycled<least_numbers<S>>(), part.c)) {}

  auto at_most(const query_row& row) const {
    const index_t b = part_.c.extent[0] == 1 ? 0 : row.batch, h = part_.c.extent[1] == 1 ? 0 : row.head;
    return [&least = *least_, b, h, first = row.first_key, c = part_(row).of_query](double score, interval keys) {
      const double c_least = least(b, h, {first + keys.first, first + keys.last});
      return score + (c - c_least) + (std::abs(c) + std::abs(c_least)) * std::numeric_limits<float>::epsilon();
    };
  }

 private:
  forgetting<S> part_;
  std::shared_ptr<const least_numbers<S>> least_;
};

template <class T, class S>
struct taking_forgetting_row : forgetting_row<S> {
  static constexpr bool heads_add_up = false;
  key_sums<T> as_query, as_keys;

  void take(const auto&, const auto& d_logit, const auto& keys, auto*) const {
    as_query.add(keys.first, d_logit);
    as_keys.add(keys.first, d_logit);
  }
};

// (batch, head, token) as (batch, head, 1, token), what stands beside the keys.
template <class X>
auto by_token(const char* name, X&& tensor) {
  require_lasting<X>();
  auto of = traits_of<X>::log_sum_exp_of(tensor);
  static_assert(is_number<std::remove_const_t<std::remove_pointer_t<decltype(of.data)>>>,
                "forgetting reads and writes float, double, Eigen::half or Eigen::bfloat16, not integers");
  require_one_a_row(name, of);
  of.extent = {of.extent[0], of.extent[1], 1, of.extent[2]};
  of.stride = {of.stride[0], of.stride[1], 0, of.stride[2]};
  return of;
}
template <class X>
struct number_of_tokens {
  using type = std::remove_const_t<std::remove_pointer_t<decltype(detail::by_token("", std::declval<X&>()).data)>>;
};
template <class S, class D>
struct number_of_tokens<forgetting<S, D>> {
  using type = void;
};
template <class X>
using token_number = typename number_of_tokens<std::remove_cvref_t<X>>::type;

}  // namespace detail

template <class S>
struct forgetting<S, void> {
  static constexpr stage order = stage::bias;
  view<const S> c;  // as (batch, head, 1, token)

  template <class X>
    requires(!std::derived_from<std::remove_cvref_t<X>, forgetting>)
  explicit forgetting(X&& numbers) : c(detail::by_token("forgetting: c", std::forward<X>(numbers))) {}

  detail::forgetting_row<S> operator()(const query_row& row) const {
    const S* const at = detail::broadcast_row(c, row);
    const bool known = detail::places_of_text(c.extent[3], row).contains(row.position);
    return {{at, c.stride[3], detail::places_along(c.extent[3], row)},
            known ? static_cast<double>(at[row.key(row.position) * c.stride[3]]) : 0.0};
  }

  auto prepare_bound() const { return detail::forgetting_bound<S>(*this); }

  void check(const shapes& lengths) const {
    detail::require_broadcast("forgetting: c", c, lengths);
    detail::require_equal("forgetting: c", "key", "tokens", c.extent[3], lengths.keys);
    const interval queries = lengths.query_positions(), keys = lengths.key_positions();
    const interval after{std::max<index_t>(queries.first, 0), queries.last};
    for (const index_t query : {after.first, after.last - 1})
      if (!after.empty() && !keys.contains(query))
        throw shape_error("forgetting: c has no number for the query at " + std::to_string(query) + ": the keys are from " +
                          std::to_string(keys.first) + " to " + std::to_string(keys.last));
  }
  void for_each_tensor(auto visit) const { visit("forgetting: c", c); }
};

template <class S, class D>
struct forgetting : forgetting<S> {
  view<D> gradient;  // as (batch, head, 1, token)

  template <class X, class Y>
  forgetting(X&& numbers, Y&& d_numbers)
      : forgetting<S>(std::forward<X>(numbers)),
        gradient(detail::writable(detail::by_token("forgetting: d_c", std::forward<Y>(d_numbers)))) {}

  void check(const shapes& lengths) const {
    forgetting<S>::check(lengths);
    detail::require_gradient_of_part("forgetting: d_c", gradient, "forgetting: c", this->c, {"batch", "heads", "", "tokens"});
  }
  void for_each_gradient(auto visit) const { visit("forgetting: d_c", gradient); }

  template <class T>
  detail::taking_forgetting_row<T, S> taking(const query_row& row, const detail::forgetting_sums<T, D>& sums) const {
    return {(*this)(row), sums.of_query(row), sums.of_keys(row)};
  }
  template <class T>
  auto taker(const shapes& lengths) const {
    return detail::gradient_taker<forgetting, detail::forgetting_sums<T, D>>{*this, {gradient, lengths}};
  }
};

template <class X>
  requires(!std::is_void_v<detail::token_number<X>>)
forgetting(X&&) -> forgetting<detail::token_number<X>>;
template <class X, class Y>
forgetting(X&&, Y&&) -> forgetting<detail::token_number<X>, detail::token_number<Y>>;

LONGSPAN_NAMESPACE_END
