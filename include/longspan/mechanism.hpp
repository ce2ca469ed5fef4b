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
// and continued later. A wrong order does not compile. Sentences add: see operator+ below.
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

// A sum is a mechanism whose parts are mechanisms.
template <class... Parts>
inline constexpr bool is_sum = (is_mechanism<Parts> && ...);
template <class... Parts>
inline constexpr bool is_sum<mechanism<Parts...>> = is_sum<Parts...>;

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
  static_assert(!is_sum<Left...> && !is_sum<Right...>,
                "a sum is complete: what belongs to a summand is joined to it before the sum, as in (a | b) + (c | d)");
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

// The summands of a sum; a mechanism is the sum of itself.
template <class... Parts>
auto summands_of(mechanism<Parts...> whole) {
  if constexpr (is_sum<Parts...>)
    return std::move(whole.parts);
  else
    return std::tuple<mechanism<Parts...>>{std::move(whole)};
}

// Whether a part skips keys, or one of a summand's.
template <class P>
inline constexpr bool skips = is_skipping<P>;
template <class... Parts>
inline constexpr bool skips<mechanism<Parts...>> = (skips<Parts> || ...);

template <class... Parts>
inline constexpr bool is_complete = (is_score<Parts> || ...) && (is_mask<Parts> || ...);
template <class... Summands>
  requires is_sum<Summands...>
inline constexpr bool is_complete<Summands...> = true;

template <class... Left, class... Right>
auto add(mechanism<Left...> left, mechanism<Right...> right) {
  static_assert(is_complete<Left...> && is_complete<Right...>,
                "+ adds whole mechanisms, from a score to a mask, and binds tighter than |: write (a | b) + (c | d)");
  return std::apply([](auto&&... each) { return mechanism<std::remove_cvref_t<decltype(each)>...>{{std::move(each)...}}; },
                    std::tuple_cat(detail::summands_of(std::move(left)), detail::summands_of(std::move(right))));
}

// The mechanism of what remake(part) makes of each part; of a sum, of what it makes of each summand.
template <class... Parts, class Remake>
auto remade(const mechanism<Parts...>& whole, const Remake& remake) {
  const auto all = [&](const Parts&... each) {
    return mechanism<std::remove_cvref_t<decltype(remake(each))>...>{{remake(each)...}};
  };
  return std::apply(all, whole.parts);
}

// References to the parts of a mechanism; of a sum, those of its summands, in the order of the sentences.
template <class P>
std::tuple<P&> parts_of(P& part) {
  return {part};
}
template <class... Parts>
auto parts_of(mechanism<Parts...>& whole) {
  return std::apply([](auto&... each) { return std::tuple_cat(detail::parts_of(each)...); }, whole.parts);
}
template <class... Parts>
auto parts_of(const mechanism<Parts...>& whole) {
  return std::apply([](auto&... each) { return std::tuple_cat(detail::parts_of(each)...); }, whole.parts);
}

}  // namespace detail

LONGSPAN_QUIET_BEGIN
template <detail::sentence Left, detail::sentence Right>
auto operator|(Left left, Right right) {
  return detail::join(detail::as_mechanism(std::move(left)), detail::as_mechanism(std::move(right)));
}
LONGSPAN_QUIET_END

// near + far: one softmax over the keys that either sees, which may be read differently: with other positions, temperatures, a window. The
// sum is a mechanism as any other and takes any number of summands, whose order fixes the last bits:
//
//   (rope{} | dot_product{} | sliding_window{1023}) +
//       (rope{}.at([](index_t) { return 1024; }, [](index_t) { return 0; }) | dot_product{} | causal{} | at_least{1024})      ReRoPE
//
// n, how many keys a row sees, counts the keys of all summands. The last summand that has a sink counts it; sinks of others count for
// nothing. Each key that a row sees is seen in one summand: std::invalid_argument where one is seen in two, before anything is written. A
// call costs what its summands cost, each a pass of its own; beside their memory it takes an output and a log_sum_exp, or the gradients of
// q, k and v, once more in the precision of the computation, twice where the call's own are of another.
template <class... Left, class... Right>
auto operator+(mechanism<Left...> left, mechanism<Right...> right) {
  return detail::add(std::move(left), std::move(right));
}
// A part alone is no mechanism: add says so.
template <detail::part Left, detail::part Right>
auto operator+(Left left, Right right) {
  return detail::add(detail::as_mechanism(std::move(left)), detail::as_mechanism(std::move(right)));
}
template <detail::part Left, class... Right>
auto operator+(Left left, mechanism<Right...> right) {
  return detail::add(detail::as_mechanism(std::move(left)), std::move(right));
}
template <class... Left, detail::part Right>
auto operator+(mechanism<Left...> left, Right right) {
  return detail::add(std::move(left), detail::as_mechanism(std::move(right)));
}

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
