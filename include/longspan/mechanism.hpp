#pragma once

#include <tuple>
#include <type_traits>
#include <utility>

#include <longspan/mechanism/part.hpp>
#include <longspan/simd/quiet.hpp>

LONGSPAN_NAMESPACE_BEGIN

// An attention mechanism as a sentence, in the order the data flows:
//
//   rows (rope, rms_normalize ...) | score | temperatures and distance transforms | softcap | bias | masks | skip_negligible |
//   dropout | sink
//
// One score and at least one mask make it complete; everything else may be absent. Several masks intersect. A fragment can be named
// and continued later. A wrong order does not compile.
template <class... Parts>
struct mechanism {
  std::tuple<Parts...> parts;
};

namespace detail {

template <class>
inline constexpr bool is_mechanism = false;
template <class... Parts>
inline constexpr bool is_mechanism<mechanism<Parts...>> = true;

template <class X>
concept sentence = part<X> || is_mechanism<X>;

template <class... Parts>
mechanism<Parts...> as_mechanism(mechanism<Parts...> whole) {
  return whole;
}
template <part P>
mechanism<P> as_mechanism(P single) {
  return {{std::move(single)}};
}

template <class... Left, class... Right>
mechanism<Left..., Right...> join(mechanism<Left...> left, mechanism<Right...> right) {
  using last = std::tuple_element_t<sizeof...(Left) - 1, std::tuple<Left...>>;
  using first = std::tuple_element_t<0, std::tuple<Right...>>;
  constexpr place before = furthest<Left...>, after = place_of<first>;
  static_assert(after != place::rows || before == place::rows,
                "rows (rope, p_rope, rms_normalize ...) belong before the score: they prepare what it multiplies");
  static_assert(after != place::score || before < place::score,
                "a mechanism has one score (dot_product or cosine), after its rows and before its transforms");
  static_assert(!(transform<first> && before < place::score),
                "a transform belongs after the score (dot_product or cosine) whose logits it changes");
  static_assert(
      !(transform<first> && before >= place::mask),
      "a transform (temperature, softcap, bias ...) belongs before the mask: after it, weight would leak to hidden keys");
  static_assert(after != place::temperature || before <= place::temperature,
                "temperatures and distance transforms belong before softcap and bias");
  static_assert(after != place::softcap || before <= place::softcap, "softcap belongs before bias and mask");
  static_assert(after != place::mask || before >= place::score, "a mask belongs after the score and its transforms");
  static_assert(after != place::mask || before != place::skipping,
                "masks belong before skip_negligible: it skips what they show");
  static_assert(after != place::mask || before <= place::skipping,
                "masks belong before dropout: it drops weights of the keys they show");
  static_assert(before != place::sink, "a sink ends the mechanism: nothing belongs after it");
  static_assert(after != place::skipping || before == place::mask,
                "skip_negligible belongs after the masks, once, and before dropout and sink");
  static_assert(after != place::dropout || before != place::dropout, "a mechanism has one dropout, after its masks");
  static_assert(after != place::dropout || before >= place::mask,
                "dropout belongs after the mask: it drops weights of the softmax");
  static_assert(after != place::sink || before == place::mask || before == place::skipping || before == place::dropout,
                "a sink belongs after the mask, at the end of the mechanism");
  static_assert(place_of<last> <= place::sink);
  return {std::tuple_cat(std::move(left.parts), std::move(right.parts))};
}

}  // namespace detail

LONGSPAN_QUIET_BEGIN
template <detail::sentence Left, detail::sentence Right>
auto operator|(Left left, Right right) {
  return detail::join(detail::as_mechanism(std::move(left)), detail::as_mechanism(std::move(right)));
}
LONGSPAN_QUIET_END

// What is no part at all is told so, where the left side already is a sentence.
template <detail::sentence Left, class Right>
  requires(!detail::sentence<Right>)
void operator|(const Left&, const Right&) {
  static_assert(
      !detail::answers_otherwise<Right>,
      "a mask answers with the keys that a row sees, not with bool or a vector: return an interval{first, last}, a std::array "
      "of a few, or a key_set; a mask that is data is boolean_mask{tensor}");
  static_assert(detail::sentence<Right> || detail::answers_otherwise<Right>,
                "the right side is no part of a mechanism: see the concepts row_part, rotation, score, transform and mask");
}

LONGSPAN_NAMESPACE_END
