#pragma once

#include <algorithm>

#include <longspan/mask/concept.hpp>
#include <longspan/position/concept.hpp>
#include <longspan/score/concept.hpp>
#include <longspan/softmax/dropout.hpp>
#include <longspan/softmax/sink.hpp>
#include <longspan/softmax/skip_negligible.hpp>
#include <longspan/transform/concept.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The places of a mechanism's sentence, in the order the data flows.
enum class place { rows, score, anywhere_between, temperature, softcap, bias, mask, skipping, dropout, sink, nowhere };

template <class P>
constexpr place find_place() {
  if constexpr (row_part<P> || rotation<P>)
    return place::rows;
  else if constexpr (score<P>)
    return place::score;
  else if constexpr (mask<P>)
    return place::mask;
  else if constexpr (transform<P>) {
    if constexpr (requires { P::order; })
      return P::order == stage::temperature ? place::temperature : P::order == stage::softcap ? place::softcap : place::bias;
    else
      return place::anywhere_between;
  } else if constexpr (std::same_as<P, skip_negligible>)
    return place::skipping;
  else if constexpr (std::same_as<P, dropout>)
    return place::dropout;
  else if constexpr (std::same_as<P, sink>)
    return place::sink;
  else
    return place::nowhere;
}

template <class P>
inline constexpr place place_of = find_place<P>();

// The furthest place that some parts have reached: what comes next belongs there or beyond.
template <class... Parts>
inline constexpr place furthest = std::max({place_of<Parts>...});

template <class P>
concept part = place_of<P> != place::nowhere;

template <class P>
inline constexpr bool is_rows = place_of<P> == place::rows;
template <class P>
inline constexpr bool is_score = place_of<P> == place::score;
template <class P>
inline constexpr bool is_transform = (place_of<P> > place::score) && (place_of<P> < place::mask);
template <class P>
inline constexpr bool is_mask = place_of<P> == place::mask;
template <class P>
inline constexpr bool is_skipping = place_of<P> == place::skipping;

}  // namespace detail
LONGSPAN_NAMESPACE_END
