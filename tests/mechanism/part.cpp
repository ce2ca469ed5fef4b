#include <longspan/mechanism/part.hpp>

#include <gtest/gtest.h>

#include <longspan/longspan.hpp>

namespace {

using namespace longspan;
using namespace longspan::detail;

struct own_rotation {
  ladder frequencies(index_t channels) const { return geometric(100, channels, pairing::interleaved); }
};
struct own_rows {
  void turn(auto row, index_t) const { row[0] = 0; }
};
struct own_score {
  void query(auto) const {}
  void key(auto) const {}
};
struct own_mask {
  interval operator()(const query_row& row) const { return {0, row.keys}; }
};
template <auto Order>
struct own_transform {
  static constexpr stage order = Order;
  auto operator()(const query_row&) const {
    return [](auto logit, const auto&) { return logit; };
  }
};
struct unplaced_transform {
  auto operator()(const query_row&) const {
    return [](auto logit, const auto&) { return logit; };
  }
};
// A row part for float alone would not run in the reference.
struct rows_of_float {
  void turn(std::span<float>, index_t) const {}
};
struct half_a_score {
  void query(auto) const {}
};

template <place Where, class... Parts>
constexpr bool stand = ((place_of<Parts> == Where) && ...);

static_assert(
    stand<place::rows, rope, p_rope, partial_rotary, truncated_rope, rms_normalize, no_position, own_rotation, own_rows>);
static_assert(stand<place::rows, decltype(rope{}.ntk(2)), decltype(rope{}.yarn({.factor = 2, .trained = 64}))>);
static_assert(stand<place::score, dot_product, cosine, own_score>);
static_assert(stand<place::temperature, temperature, cos_scale, info_scale, log_n, ss_max, scale_invariant>);
static_assert(stand<place::temperature, own_transform<stage::temperature>>);
static_assert(stand<place::softcap, softcap, own_transform<stage::softcap>> && stand<place::bias, own_transform<stage::bias>>);
static_assert(stand<place::anywhere_between, alibi, unplaced_transform, decltype(by_distance{[](index_t) { return 0.0; }})>);
static_assert(stand<place::mask, everything, causal, sliding_window, prefix, sinks_and_window, own_mask>);
static_assert(stand<place::dropout, dropout> && stand<place::sink, sink>);
static_assert(stand<place::nowhere, int, placement, rows_of_float, half_a_score, interval, query_row, const char*>);

static_assert(part<rope> && part<dropout> && part<sink> && part<own_mask> && !part<int> && !part<mechanism<rope>>);
static_assert(sentence<rope> && sentence<mechanism<rope, dot_product>> && !sentence<int>);

// Every part is of exactly one kind.
template <class P>
constexpr int kinds =
    is_rows<P> + is_score<P> + is_transform<P> + is_mask<P> + (place_of<P> == place::dropout) + (place_of<P> == place::sink);
static_assert(kinds<rope> == 1 && kinds<cosine> == 1 && kinds<temperature> == 1 && kinds<softcap> == 1 && kinds<alibi> == 1 &&
              kinds<unplaced_transform> == 1 && kinds<own_transform<stage::bias>> == 1 && kinds<causal> == 1 &&
              kinds<dropout> == 1 && kinds<sink> == 1 && kinds<int> == 0);

TEST(part, the_furthest_place_is_the_latest_in_the_sentence) {
  EXPECT_EQ((furthest<rope, dot_product>), place::score);
  EXPECT_EQ((furthest<dot_product, softcap, alibi>), place::softcap);
  EXPECT_EQ((furthest<dot_product, alibi, temperature>), place::temperature);
  EXPECT_EQ((furthest<dot_product, causal, dropout>), place::dropout);
  EXPECT_EQ((furthest<dot_product, causal, dropout, sink>), place::sink);
}

}  // namespace
