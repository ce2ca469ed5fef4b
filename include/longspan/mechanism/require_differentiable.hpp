#pragma once

#include <span>
#include <tuple>
#include <type_traits>

#include <longspan/mechanism.hpp>
#include <longspan/mechanism/parameters_of.hpp>
#include <longspan/mechanism/part.hpp>
#include <longspan/position/concept.hpp>
#include <longspan/transform/concept.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Says at compile time what a part lacks for the backward pass.
template <class... Parts>
constexpr void require_differentiable(const mechanism<Parts...>& whole) {
  const auto one = []<class P>(std::type_identity<P>) {
    if constexpr (is_rows<P> && !rotation<P>)
      static_assert(turns_rows_back<P, float>,
                    "a row part needs turn_back(row, gradient, position) for the backward pass: see the concept row_part");
    if constexpr (is_rows<P> && parameter_count<P> > 0)
      static_assert(learns_from_rows<P, float>,
                    "a row part with learned numbers needs turn_back(row, gradient, token, sums): see the concept row_part");
    if constexpr (is_score<P>)
      static_assert(
          requires(const P& part, std::span<const float> row, std::span<float> gradient) {
            part.query_back(row, gradient), part.key_back(row, gradient);
          }, "a score needs query_back(row, gradient) and key_back(row, gradient) for the backward pass: see the concept score");
    if constexpr (is_transform<P>)
      static_assert(differentiable<P>,
                    "the body of a transform must run on dual numbers: call functions unqualified, write `auto logit`");
  };
  const auto each = [&]<class... P>(const std::tuple<P&...>&) { (one(std::type_identity<std::remove_const_t<P>>{}), ...); };
  each(detail::parts_of(whole));
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
