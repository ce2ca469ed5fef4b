#include <longspan/mechanism.hpp>

#include <gtest/gtest.h>

#include <longspan/longspan.hpp>

// A user's parts where no name of the library is in sight but theirs: its operator is found by the parts beside them.
namespace elsewhere {

struct rows {
  void turn(auto row, longspan::index_t) const { row[0] = 0; }
};
struct score {
  void query(auto) const {}
  void key(auto) const {}
};
struct decay {
  float rate;
  auto operator()(const longspan::query_row&) const {
    return [rate = rate](auto logit, const auto& keys) { return logit - rate * keys.distance(); };
  }
};
struct bias {
  static constexpr longspan::stage order = longspan::stage::bias;
  auto operator()(const longspan::query_row&) const {
    return [](auto logit, const auto&) { return logit + 1.f; };
  }
};
struct odd_keys {
  longspan::index_t last;
  longspan::interval operator()(const longspan::query_row&) const { return {1, last}; }
};

inline auto first_of_all() { return rows{} | longspan::dot_product{} | decay{1} | odd_keys{5}; }
inline auto before_a_mask() { return score{} | longspan::causal{}; }

}  // namespace elsewhere

namespace {

using namespace longspan;
using namespace longspan::detail;
using elsewhere::bias, elsewhere::decay, elsewhere::odd_keys;

template <class... Parts, class Sentence>
constexpr bool says(const Sentence&) {
  return std::is_same_v<Sentence, mechanism<Parts...>>;
}

static_assert(is_mechanism<mechanism<causal>> && !is_mechanism<causal>);

TEST(mechanism, joins_parts_in_the_order_written) {
  EXPECT_TRUE((says<dot_product, causal>(dot_product{} | causal{})));
  EXPECT_TRUE((says<rms_normalize, p_rope, dot_product, scale_invariant, softcap, causal>(
      rms_normalize{} | p_rope{} | dot_product{} | scale_invariant{} | softcap{50} | causal{})));
  EXPECT_TRUE((says<rope, cosine, cos_scale, info_scale, temperature, softcap, alibi, causal, sliding_window, sink>(
      rope{} | cosine{} | cos_scale{16} | info_scale{64} | temperature{2} | softcap{50} | alibi{} | causal{} | sliding_window{9} |
      sink{})));
}

TEST(mechanism, keeps_what_each_part_was_told) {
  const auto whole = p_rope{.fraction = 0.5} | dot_product{.scale = 0.125} | temperature{3} | sliding_window{7, 2} | sink{0.5};
  EXPECT_EQ(std::get<p_rope>(whole.parts).fraction, 0.5);
  EXPECT_EQ(std::get<dot_product>(whole.parts).scale, 0.125);
  EXPECT_EQ(std::get<temperature>(whole.parts).factor, 3);
  EXPECT_EQ(std::get<sliding_window>(whole.parts).after, 2);
  EXPECT_EQ(std::get<sink>(whole.parts).logit[0], 0.5);
}

TEST(mechanism, takes_transforms_that_say_no_order_anywhere_between_score_and_mask) {
  EXPECT_TRUE((says<dot_product, decay, temperature, causal>(dot_product{} | decay{1} | temperature{2} | causal{})));
  EXPECT_TRUE((
      says<dot_product, temperature, decay, softcap, causal>(dot_product{} | temperature{2} | decay{1} | softcap{9} | causal{})));
  EXPECT_TRUE((says<dot_product, softcap, decay, bias, causal>(dot_product{} | softcap{9} | decay{1} | bias{} | causal{})));
  EXPECT_TRUE((says<dot_product, softcap, bias, decay, causal>(dot_product{} | softcap{9} | bias{} | decay{1} | causal{})));
}

TEST(mechanism, continues_fragments_on_either_side) {
  const auto rows = rms_normalize{} | rope{};
  const auto scored = rows | cosine{};
  const auto tempered = cos_scale{16} | softcap{50};
  const auto masked = causal{} | sliding_window{4};
  EXPECT_TRUE((says<rms_normalize, rope, cosine>(scored)));
  EXPECT_TRUE((says<cos_scale, softcap, causal, sliding_window>(tempered | masked)));
  EXPECT_TRUE(
      (says<rms_normalize, rope, cosine, cos_scale, softcap, causal, sliding_window, sink>(scored | tempered | masked | sink{})));
  EXPECT_TRUE((says<rms_normalize, rope, cosine, cos_scale, softcap, causal, sliding_window>(scored | (tempered | masked))));
  EXPECT_TRUE((says<rope, rms_normalize, rope, dot_product, causal>(rope{} | (rows | dot_product{}) | causal{})));
  // A fragment that is named can be continued twice.
  EXPECT_TRUE((says<rms_normalize, rope, cosine, causal>(scored | causal{})));
  EXPECT_TRUE((says<rms_normalize, rope, cosine, everything>(scored | everything{})));
}

TEST(mechanism, begins_with_parts_of_ones_own) {
  EXPECT_TRUE((says<elsewhere::rows, dot_product, decay, odd_keys>(elsewhere::first_of_all())));
  EXPECT_TRUE((says<elsewhere::score, causal>(elsewhere::before_a_mask())));
  EXPECT_TRUE(
      (says<rope, elsewhere::score, decay, odd_keys, causal>(rope{} | elsewhere::score{} | decay{1} | odd_keys{5} | causal{})));
}

TEST(mechanism, drops_weights_between_masks_and_sink) {
  EXPECT_TRUE((says<dot_product, causal, dropout>(dot_product{} | causal{} | dropout{})));
  EXPECT_TRUE((says<dot_product, causal, prefix, dropout, sink>(dot_product{} | causal{} | prefix{2} | (dropout{} | sink{}))));
}

TEST(mechanism, adds_whole_sentences_in_the_order_written) {
  const auto near = rope{} | dot_product{} | sliding_window{3};
  const auto far = dot_product{} | causal{} | at_least{4};
  using Near = mechanism<rope, dot_product, sliding_window>;
  using Far = mechanism<dot_product, causal, at_least>;
  EXPECT_TRUE((says<Near, Far>(near + far)));
  EXPECT_TRUE((says<Near, Far, Near>(near + far + near)));
  EXPECT_TRUE((says<Near, Near, Far, Far>((near + near) + (far + far))));
  EXPECT_EQ((get<sliding_window>(near + far).before), 3);
  EXPECT_EQ((get<dot_product, 1>(near + (dot_product{.scale = 2} | causal{})).scale), 2);
}

TEST(mechanism, intersects_masks_of_any_number) {
  EXPECT_TRUE((says<dot_product, causal, sliding_window, prefix, odd_keys>(dot_product{} | causal{} | sliding_window{4} |
                                                                           prefix{2} | odd_keys{5})));
}

}  // namespace
