// The attention of well-known families, as PyPI's transformers 5.24 computes it eagerly in float: what a layer's projections return goes
// in, what enters its output projection comes out. papers/families.py made the files and says how. Each test says its family's sentence;
// any_rotation and any_mask stand for the parts, so that few sentences are compiled. Measured differences are 5e-7 to 9e-6.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <longspan/longspan.hpp>

#include "support/family.hpp"
#include "support/worse.hpp"

namespace {

using namespace testing_support;
using namespace longspan;

constexpr index_t tokens = family_file::tokens, heads = 4, key_heads = 2, channels = 16;

struct projections {
  view<const float> q, k, v;
};

// The largest difference between rows of a layer and a sentence's.
template <class Mechanism>
double difference(const Mechanism& mechanism, const projections& in, const std::vector<double>& expected) {
  const index_t groups = in.q.extent[0], d = in.v.extent[3], h = groups * in.q.extent[1];
  const std::array<index_t, 4> extent{groups, in.q.extent[1], tokens, d}, stride{in.q.extent[1] * d, d, h * d, 1};
  std::vector<float> output(std::size_t(tokens * h * d));
  forward_into(mechanism, in.q, in.k, in.v, view<float>{output.data(), extent, stride});
  if (index_t(expected.size()) != index_t(family_file::rows.size()) * h * d) return std::numeric_limits<double>::quiet_NaN();
  double worst = 0;
  auto wanted = expected.begin();
  for (const index_t row : family_file::rows)
    for (index_t c = 0; c < h * d; ++c) worst = worse(worst, std::abs(double(output[std::size_t(row * h * d + c)]) - *wanted++));
  return worst;
}

// transformers computes angles in float: at token 299 their error is up to 1e-5.
constexpr double allowed = 2e-5;

// A family whose projections of queries, keys and values are apart.
struct family {
  family_file file;
  std::vector<projected> made;

  explicit family(const std::string& name, index_t grouped = key_heads) : file(name) {
    for (index_t layer = 0; layer < index_t(file.layers.size()); ++layer) {
      made.emplace_back(100 * layer, heads * channels);
      made.emplace_back(100 * layer + 1, grouped * channels), made.emplace_back(100 * layer + 2, grouped * channels);
    }
  }

  projections layer(index_t number) const {
    const projected* const each = &made[std::size_t(3 * number)];
    return {each[0].heads(heads, channels), each[1].heads(each[1].width / channels, channels),
            each[2].heads(each[2].width / channels, channels)};
  }
  double differs(index_t number, const auto& mechanism) const {
    return difference(mechanism, layer(number), file.layers.at(std::size_t(number)));
  }
};

// One projection that returns queries, keys and values: where those begin, and how far apart their heads are.
struct fused {
  index_t heads, key_heads, width, key, value, apart = channels;

  double differs(const std::string& name, index_t number, const auto& mechanism) const {
    const projected made(100 * number + 3, width);
    const projections in{made.heads(heads, channels, 0, apart), made.heads(key_heads, channels, key, apart),
                         made.heads(key_heads, channels, value, apart)};
    return difference(mechanism, in, family_file(name).layers.at(std::size_t(number)));
  }
};
constexpr fused one_behind_the_other{4, 4, 192, 64, 128}, head_by_head{4, 4, 192, 16, 32, 48};

const any_mask see_before{causal{}};
any_mask window(index_t size) { return {sliding_window{.before = size - 1}}; }
const any_rotation nope{p_rope{.fraction = 0}};

// rotation | dot_product | mask
auto plain(const any_rotation& rotation, const any_mask& mask = see_before, dot_product score = {}) {
  return rotation | score | mask;
}
// rms_normalize | rotation | dot_product | mask: layer `number` of a family
auto normalised(index_t number, double epsilon, const any_rotation& rotation, const any_mask& mask = see_before,
                dot_product score = {}) {
  const auto query_gain = family_gains(100 * number + 4, channels), key_gain = family_gains(100 * number + 5, channels);
  return rms_normalize{query_gain, key_gain, epsilon} | rotation | score | mask;
}

TEST(families, llama) { EXPECT_LT(family("llama").differs(0, plain(rope{})), allowed); }

TEST(families, llama_with_rescaled_frequencies) {
  EXPECT_LT(family("llama3").differs(0, plain(rope{.base = 500000}.llama3({.trained = 64}))), allowed);
  EXPECT_LT(family("llama_linear").differs(0, plain(rope{}.interpolate(4))), allowed);
  EXPECT_LT(family("llama_dynamic").differs(0, plain(rope{}.dynamic_ntk(2, 64, tokens))), allowed);
  EXPECT_LT(family("llama_yarn").differs(0, plain(rope{}.yarn({.factor = 4, .trained = 64, .ramp_over_index = true}))), allowed);
}

TEST(families, windows) {
  EXPECT_LT(family("mistral").differs(0, plain(rope{}, window(50))), allowed);
  EXPECT_LT(family("starcoder2").differs(0, plain(rope{}, window(50))), allowed);
  const family qwen2("qwen2");
  EXPECT_LT(qwen2.differs(0, plain(rope{})), allowed);
  EXPECT_LT(qwen2.differs(1, plain(rope{}, window(50))), allowed);
}

TEST(families, gemma) { EXPECT_LT(family("gemma").differs(0, plain(rope{})), allowed); }

TEST(families, gemma2) {
  const family gemma2("gemma2");
  const auto sentence = [](const any_mask& mask) {
    return any_rotation{rope{}} | dot_product{.scale = 1 / std::sqrt(24.)} | softcap{2} | mask;
  };
  EXPECT_LT(gemma2.differs(0, sentence(window(50))), allowed);
  EXPECT_LT(gemma2.differs(1, sentence(see_before)), allowed);
}

TEST(families, gemma3) {
  const family gemma3("gemma3_text");
  const dot_product score{.scale = 1 / std::sqrt(24.)};
  EXPECT_LT(gemma3.differs(0, normalised(0, 1e-6, rope{}, window(50), score)), allowed);
  EXPECT_LT(gemma3.differs(1, normalised(1, 1e-6, rope{.base = 1e6}.interpolate(8), see_before, score)), allowed);
}

TEST(families, qwen3_smollm3_and_exaone4) {
  EXPECT_LT(family("qwen3").differs(0, normalised(0, 1e-6, rope{})), allowed);
  EXPECT_LT(family("apertus").differs(0, normalised(0, 1e-5, rope{.base = 12e6}.llama3({.trained = 8192}))), allowed);
  const family smollm3("smollm3");
  EXPECT_LT(smollm3.differs(0, plain(rope{.base = 2e6})), allowed);
  EXPECT_LT(smollm3.differs(1, plain(nope)), allowed);
  const family exaone4("exaone4");
  EXPECT_LT(exaone4.differs(0, normalised(0, 1e-5, rope{}, window(50))), allowed);
  EXPECT_LT(exaone4.differs(1, normalised(1, 1e-5, nope)), allowed);
}

TEST(families, gpt_oss) {
  const family gpt_oss("gpt_oss");
  const auto sentence = [](index_t layer, const any_mask& mask) {
    const yarn_scaling yarn{.factor = 32, .trained = 64, .ramp_over_index = true, .truncate = false};
    return any_rotation{rope{.base = 150000}.yarn(yarn)} | dot_product{} | mask |
           sink{family_gains(100 * layer + 6, heads, 0, 1)};
  };
  EXPECT_LT(gpt_oss.differs(0, sentence(0, window(50))), allowed);
  EXPECT_LT(gpt_oss.differs(1, sentence(1, see_before)), allowed);
}

TEST(families, gemma4) {
  // The engine normalises values too, without gain.
  family gemma4("gemma4_text");
  const auto layer = [&](index_t number, const any_rotation& rotation, const any_mask& mask) {
    projected& values = gemma4.made[std::size_t(3 * number + 2)];
    for (std::size_t at = 0; at < values.numbers.size(); at += std::size_t(channels))
      rms_normalize{}.turn(std::span(&values.numbers[at], std::size_t(channels)), token{});
    return gemma4.differs(number, normalised(number, 1e-6, rotation, mask, dot_product{.scale = 1}));
  };
  EXPECT_LT(layer(0, rope{}, window(50)), allowed);
  EXPECT_LT(layer(1, p_rope{.fraction = 0.25, .base = 1e6}, see_before), allowed);
}

TEST(families, llama4) {
  // Rows are normalised after they turn, which is the same: a rotation keeps their length.
  const family llama4("llama4_text");
  const any_rotation rotation = rope{.base = 500000, .pairing = pairing::interleaved};
  EXPECT_LT(llama4.differs(0, rms_normalize{.epsilon = 1e-5} | rotation | dot_product{} | any_mask{chunks{64}}), allowed);
  EXPECT_LT(llama4.differs(1, nope | dot_product{} | llama4_temperature{.scale = 0.1, .floor = 32} | see_before), allowed);
}

TEST(families, ministral3) {
  const any_rotation rotation = rope{.base = 1e6}.yarn({.factor = 16, .trained = 64, .ramp_over_index = true, .magnitude = 1});
  const llama4_temperature temperature{.scale = 0.1, .floor = 64, .first = 0};
  EXPECT_LT(family("ministral3").differs(0, rotation | dot_product{} | temperature | see_before), allowed);
}

TEST(families, phi3) {
  std::vector<double> divisors;
  for (index_t i = 0; i < channels / 2; ++i) divisors.push_back(1 + 0.5 * double(i));
  const auto rotation = rope{}.longrope({divisors, 512. / 64, 64});
  EXPECT_LT((fused{4, 2, 128, 64, 96}.differs("phi3", 0, plain(rotation, window(50)))), allowed);
}

TEST(families, granite_and_its_scale) {
  EXPECT_LT(family("granite").differs(0, plain(rope{}, see_before, {.scale = 0.11})), allowed);
}

TEST(families, partial_rotations) {
  EXPECT_LT(head_by_head.differs("gpt_neox", 0, plain(partial_rotary{})), allowed);
  EXPECT_LT(family("nemotron").differs(0, plain(partial_rotary{.fraction = 0.5})), allowed);
  EXPECT_LT(family("gptj", heads).differs(0, plain(partial_rotary{.fraction = 0.5, .pairing = pairing::interleaved})), allowed);
  EXPECT_LT(family("glm4").differs(0, plain(partial_rotary{.fraction = 0.5, .pairing = pairing::interleaved})), allowed);
}

TEST(families, interleaved_rotations) {
  const rope interleaved{.pairing = pairing::interleaved};
  EXPECT_LT(family("ernie4_5").differs(0, plain(rope{.base = 500000, .pairing = pairing::interleaved})), allowed);
  const family cohere2("cohere2");
  EXPECT_LT(cohere2.differs(0, plain(interleaved, window(50))), allowed);
  EXPECT_LT(cohere2.differs(1, plain(nope)), allowed);
}

TEST(families, positions_are_in_the_embeddings) {
  EXPECT_LT(one_behind_the_other.differs("gpt2", 0, plain(nope)), allowed);
  EXPECT_LT((fused{4, 1, 96, 64, 80}.differs("gpt_bigcode", 0, plain(nope))), allowed);
}

TEST(families, modernbert) {
  const any_mask both_sides{sliding_window{25, 25}}, all{everything{}};
  EXPECT_LT(one_behind_the_other.differs("modernbert", 0, plain(rope{}, both_sides)), allowed);
  EXPECT_LT(one_behind_the_other.differs("modernbert", 1, plain(rope{.base = 160000}, all)), allowed);
}

// Queries of a group of heads, their key and their value follow each other: a group is a batch.
TEST(families, falcon) {
  const projected made(3, 128);
  const auto group = [&](index_t count, index_t first) {
    auto view = made.heads(count, channels, first);
    view.extent[0] = 2, view.stride[0] = 64;
    return view;
  };
  const family_file file("falcon");
  EXPECT_LT(difference(plain(rope{}), {group(2, 0), group(1, 32), group(1, 48)}, file.layers[0]), allowed);
}

// mpt and bloom have the paper's slopes for 6 heads too, each in its own way.
TEST(families, alibi) {
  const auto sentence = dot_product{} | alibi{} | see_before;
  EXPECT_LT((fused{6, 6, 288, 96, 192}.differs("mpt", 0, sentence)), allowed);
  EXPECT_LT((fused{6, 6, 288, 16, 32, 48}.differs("bloom", 0, sentence)), allowed);
}

// Falcon adds slope * j to the scores, rounded to bfloat16, before it divides by sqrt(d): its slopes are those of alibi{} over sqrt(d), and
// at key 299 its logits are off by up to 1/16. longspan's slopes are those of the paper; what the model was trained with is a bias of bfloat16.
// transformers 5.24 run eagerly adds it twice, once with the mask and once in the layer, and its sdpa once, as the model's authors do: the
// file is sdpa's.
TEST(families, falcon_with_alibi) {
  std::vector<Eigen::bfloat16> added;
  for (index_t h = 0; h < heads; ++h)
    for (index_t j = 0; j < tokens; ++j)
      added.push_back(Eigen::bfloat16(Eigen::bfloat16(float(alibi::slope(h, heads)) * float(j)) / Eigen::bfloat16(4)));
  const bias positions{view<const Eigen::bfloat16>{added.data(), {1, heads, 1, tokens}, {0, tokens, 0, 1}}};
  const fused multi_query{4, 1, 96, 64, 80};
  EXPECT_LT(multi_query.differs("falcon_alibi", 0, dot_product{} | positions | see_before), allowed);
}

// The norm of OLMo 2 and 3 and MiniMax M2 is that of all heads of a token together: the engine's, before rows are split into heads.
TEST(families, olmo_and_minimax) {
  family olmo("olmo");
  for (projected& each : olmo.made)
    for (float& number : each.numbers) number = std::clamp(number, -1.f, 1.f);
  EXPECT_LT(olmo.differs(0, plain(rope{})), allowed);

  const auto normalised_whole = [](family of, double epsilon = 1e-5) {
    for (index_t each = 0; each < index_t(of.made.size()); ++each) {
      if (each % 3 == 2) continue;
      projected& rows = of.made[std::size_t(each)];
      const auto gain = family_gains(100 * (each / 3) + 4 + each % 3, rows.width);
      const rms_normalize norm{.query_gain = gain, .epsilon = epsilon};
      for (std::size_t at = 0; at < rows.numbers.size(); at += std::size_t(rows.width))
        norm.turn(std::span(&rows.numbers[at], std::size_t(rows.width)), token{});
    }
    return of;
  };
  const rope rotation{.base = 500000};
  EXPECT_LT(normalised_whole(family("olmo2")).differs(0, plain(rope{})), allowed);
  EXPECT_LT(normalised_whole(family("minimax_m2"), 1e-6).differs(0, plain(partial_rotary{.fraction = 0.5})), allowed);
  const family olmo3 = normalised_whole(family("olmo3"));
  EXPECT_LT(olmo3.differs(0, plain(rotation, window(50))), allowed);
  const yarn_scaling yarn{.factor = 8, .trained = 64, .ramp_over_index = true, .magnitude = 1.2};
  EXPECT_LT(olmo3.differs(1, plain(rotation.yarn(yarn))), allowed);
}

// NanoChat turns the other way, and normalises then.
TEST(families, nanochat) {
  const auto backwards = rope{}.at([](index_t place) { return -place; });
  EXPECT_LT(family("nanochat").differs(0, backwards | rms_normalize{} | dot_product{} | see_before), allowed);
}

// Here the norm with gains comes after the rotation, and does not commute with it.
TEST(families, hunyuan) {
  const rms_normalize norm{family_gains(4, channels), family_gains(5, channels), 1e-5};
  const any_rotation rotation = rope{}.ntk(1000);
  EXPECT_LT(family("hunyuan_v1_dense").differs(0, rotation | norm | dot_product{} | see_before), allowed);
}

// LayerNorm of rows, with gains and shifts for each channel, or for each head and channel: a row part of one's own.
struct layer_normalize {
  std::vector<double> query_gain, key_gain, query_shift, key_shift;

  template <class T>
  void turn(std::span<T> row, const token& of) const {
    T mean = 0, variance = 0;
    for (const T x : row) mean += x / T(row.size());
    for (const T x : row) variance += (x - mean) * (x - mean) / T(row.size());
    const auto& gain = of.is_query() ? query_gain : key_gain;
    const auto& shift = of.is_query() ? query_shift : key_shift;
    const std::size_t first = gain.size() == row.size() ? 0 : std::size_t(of.head) * row.size();
    for (std::size_t c = 0; c < row.size(); ++c) {
      row[c] = (row[c] - mean) / std::sqrt(variance + T(1e-5)) * T(gain[first + c]);
      if (!shift.empty()) row[c] += T(shift[first + c]);
    }
  }
};

TEST(families, layer_norms_of_queries_and_keys) {
  const auto sentence = [](const any_rotation& rotation, index_t numbers, index_t key_numbers, bool shifted) {
    layer_normalize norm{family_gains(4, numbers), family_gains(5, key_numbers), {}, {}};
    if (shifted) norm.query_shift = family_gains(8, numbers, 0, 0.25), norm.key_shift = family_gains(9, key_numbers, 0, 0.25);
    return norm | rotation | dot_product{} | see_before;
  };
  const partial_rotary half{.fraction = 0.5};
  EXPECT_LT(family("phi").differs(0, sentence(half, channels, channels, true)), allowed);
  EXPECT_LT(head_by_head.differs("persimmon", 0, sentence(half, channels, channels, true)), allowed);
  EXPECT_LT(family("stablelm").differs(0, sentence(partial_rotary{}, 64, 32, false)), allowed);
  EXPECT_LT(family("cohere").differs(0, sentence(rope{.base = 500000, .pairing = pairing::interleaved}, 64, 32, false)), allowed);
}

// Latent attention: the last channels of a row turn, and those of the keys are shared by all heads. A rotation of one's own: pairs of
// frequency 0 before those that turn.
struct last_channels {
  index_t still;

  ladder frequencies(index_t all) const {
    const auto yarn =
        rope{.pairing = pairing::interleaved}.yarn({.factor = 40, .trained = 64, .ramp_over_index = true, .magnitude = 1});
    ladder rungs = yarn.frequencies(all - still);
    rungs.frequencies.insert(rungs.frequencies.begin(), std::size_t(still / 2), 0.0);
    return rungs;
  }
};

TEST(families, deepseek_v3) {
  constexpr index_t still = 16, turning = 8, whole = still + turning;
  const projected q(0, heads * whole), latent(1, heads * (still + channels)), shared(2, 16 + turning);
  std::vector<float> k;
  for (index_t h = 0; h < heads; ++h)
    for (index_t t = 0; t < tokens; ++t) {
      const float* const own = &latent.numbers[std::size_t(t * latent.width + h * (still + channels))];
      const float* const common = &shared.numbers[std::size_t(t * shared.width + 16)];
      k.insert(k.end(), own, own + still), k.insert(k.end(), common, common + turning);
    }
  const view<const float> keys{k.data(), {1, heads, tokens, whole}, {heads * tokens * whole, tokens * whole, whole, 1}};
  const projections in{q.heads(heads, whole), keys, latent.heads(heads, channels, still, still + channels)};
  const double grown = 0.1 * std::log(40.) + 1;
  const auto sentence = plain(last_channels{still}, see_before, {.scale = grown * grown / std::sqrt(double(whole))});
  EXPECT_LT(difference(sentence, in, family_file("deepseek_v3").layers[0]), allowed);
}

}  // namespace
