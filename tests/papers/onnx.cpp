// The Attention operator of ONNX (opsets 23 to 25): the cases of its own node tests. What its attributes and inputs say is a sentence and a
// placement:
//   scale, softcap               dot_product{.scale}, softcap{}; both are left out where they are not given
//   attn_mask                    bias{} of numbers, boolean_mask{} of bool: behind softcap, as in the operator
//   left_ and right_window_size  sliding_window{}; is_causal is a right window of 0
//   past_key, past_value         one buffer with what is new behind the past, so that query i stands at i + past: the operator aligns queries
//                                with the first keys where there is no past, and not with the last
//   nonpad_kv_seqlen             placement{.key_lengths}: query i stands at i + length - queries, before every key where that is negative
//   rank 3                       strided views of (batch, token, heads x channels)
// present_key and present_value are the buffer. qk_matmul_output, a view inside of the operator, is what a fused kernel does not have.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <longspan/longspan.hpp>

#include "support/onnx_case.hpp"
#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using namespace longspan;

// A tensor of a case in storage S, as (batch, head, token, channel) or (batch, head, query, key).
template <class S>
struct operand {
  std::vector<S> numbers;
  std::array<index_t, 4> extent, stride;

  explicit operand(const std::array<index_t, 4>& e, S filled = S(77))
      : numbers(std::size_t(e[0] * e[1] * e[2] * e[3]), filled), extent(e), stride{e[1] * e[2] * e[3], e[2] * e[3], e[3], 1} {}

  // Rank 3 with a number of heads is (batch, token, heads x channels); other ranks miss leading axes.
  explicit operand(const onnx_tensor& from, index_t heads = 0) {
    for (const double number : from.numbers) numbers.push_back(static_cast<S>(number));
    const std::vector<index_t>& e = from.extents;
    if (heads > 0 && e.size() == 3) {
      const index_t c = e[2] / heads;
      extent = {e[0], heads, e[1], c}, stride = {e[1] * e[2], c, e[2], 1};
    } else {
      extent = {1, 1, 1, 1};
      std::copy(e.begin(), e.end(), extent.end() - std::ptrdiff_t(e.size()));
      stride = {extent[1] * extent[2] * extent[3], extent[2] * extent[3], extent[3], 1};
    }
  }

  view<S> all() { return {numbers.data(), extent, stride}; }
  view<const S> all() const { return {numbers.data(), extent, stride}; }

  // Copies a tensor in, its first token or key to token or key (query, key) of this one.
  void put(const operand& from, index_t query, index_t key) {
    const auto [batch, heads, rows, columns] = from.extent;
    for (index_t b = 0; b < batch; ++b)
      for (index_t h = 0; h < heads; ++h)
        for (index_t i = 0; i < rows; ++i)
          for (index_t j = 0; j < columns; ++j) at(b, h, query + i, key + j) = from.at(b, h, i, j);
  }
  S& at(index_t b, index_t h, index_t i, index_t j) { return numbers[number(b, h, i, j)]; }
  const S& at(index_t b, index_t h, index_t i, index_t j) const { return numbers[number(b, h, i, j)]; }

 private:
  std::size_t number(index_t b, index_t h, index_t i, index_t j) const {
    return std::size_t(b * stride[0] + h * stride[1] + i * stride[2] + j * stride[3]);
  }
};

// Keys or values behind those of the past, in one buffer.
template <class S>
operand<S> with_past(const onnx_case& of, const std::string& past, const std::string& present) {
  const operand<S> later(of.inputs.at(present), index_t(of.attribute("kv_num_heads", 0)));
  if (!of.has(past)) return later;
  const operand<S> earlier(of.inputs.at(past));
  auto extent = later.extent;
  extent[2] += earlier.extent[2];
  operand<S> whole(extent);
  whole.put(earlier, 0, 0), whole.put(later, earlier.extent[2], 0);
  return whole;
}

// A mask of bool or numbers; where it is shorter than the keys, the rest is hidden.
template <class S>
operand<S> mask_of(const onnx_case& of, index_t keys, S hidden) {
  const operand<S> given(of.inputs.at("attn_mask"));
  auto extent = given.extent;
  extent[3] = keys;
  operand<S> whole(extent, hidden);
  whole.put(given, 0, 0);
  return whole;
}

// The attributes and the mask as a sentence, handed to `run`. A window size of -1 is unbounded.
template <class S, class Run>
void with_mechanism(const onnx_case& of, index_t keys, Run run) {
  const auto size = [&](const char* name) {
    const double given = of.attribute(name, -1);
    return given < 0 ? std::numeric_limits<index_t>::max() : index_t(given);
  };
  sliding_window window{size("left_window_size"), size("right_window_size")};
  if (of.attribute("is_causal", 0) != 0) window.after = 0;
  const auto masked = [&](const auto& logits) {
    if (!of.has("attn_mask")) return run(logits | window);
    if (of.inputs.at("attn_mask").type == "bool") {
      const auto seen = mask_of<std::uint8_t>(of, keys, 0);
      return run(logits | boolean_mask{seen.all()} | window);
    }
    const auto added = mask_of<S>(of, keys, -std::numeric_limits<S>::infinity());
    run(logits | bias{added.all()} | window);
  };
  const dot_product score{.scale = of.attributes.count("scale") > 0 ? std::optional(of.attributes.at("scale")) : std::nullopt};
  const double cap = of.attribute("softcap", 0);
  cap > 0 ? masked(score | softcap{cap}) : masked(score);
}

// What `attend` makes of a case, in the order of Y.
template <class S, class Attend>
std::vector<double> computed(const onnx_case& of, Attend attend) {
  const operand<S> q(of.inputs.at("Q"), index_t(of.attribute("q_num_heads", 0))), k = with_past<S>(of, "past_key", "K"),
                                                                                  v = with_past<S>(of, "past_value", "V");
  operand<S> output(of.outputs.at("Y"), index_t(of.attribute("q_num_heads", 0)));
  std::fill(output.numbers.begin(), output.numbers.end(), S(77));
  placement where;
  std::vector<index_t> lengths;
  if (of.has("nonpad_kv_seqlen")) {
    for (const double length : of.inputs.at("nonpad_kv_seqlen").numbers) lengths.push_back(index_t(length));
    where.key_lengths = lengths;
  } else {
    where.first_query = of.has("past_key") ? of.inputs.at("past_key").extents.at(2) : 0;
  }
  with_mechanism<S>(of, k.extent[2],
                    [&](const auto& mechanism) { attend(mechanism, q.all(), k.all(), v.all(), output.all(), where); });
  return {output.numbers.begin(), output.numbers.end()};
}

const auto fused = [](const auto& mechanism, const auto& q, const auto& k, const auto& v, const auto& output,
                      const placement& where) { forward_into(mechanism, q, k, v, output, where); };

const auto defined = []<class S>(const auto& mechanism, const auto& q, const auto& k, const auto& v, const view<S>& output,
                                 const placement& where) {
  const auto exact = reference::attention(mechanism, q, k, v, where).output;
  for (index_t b = 0; b < output.extent[0]; ++b)
    for (index_t h = 0; h < output.extent[1]; ++h)
      for (index_t i = 0; i < output.extent[2]; ++i)
        for (index_t c = 0; c < output.extent[3]; ++c) output.head(b, h).row(i)[c * output.stride[3]] = S(exact(b, h, i, c));
};

class onnx_attention : public testing::TestWithParam<std::string> {
 protected:
  const onnx_case of = read_onnx_case(test_data() / "papers" / "onnx" / (GetParam() + ".txt"));

  // float agrees to 1e-5 (2.6e-7 was measured), half to the operator's own tolerance.
  template <class Attend>
  void expect_agreement(Attend attend) const {
    const bool half = of.inputs.at("Q").type == "f16";
    const std::vector<double> ours = half ? computed<Eigen::half>(of, attend) : computed<float>(of, attend);
    const std::vector<double>& theirs = of.outputs.at("Y").numbers;
    ASSERT_EQ(ours.size(), theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i)
      ASSERT_NEAR(ours[i], theirs[i], half ? 1e-7 + 1e-3 * std::abs(theirs[i]) : 1e-5) << "element " << i << " of Y";
  }
};

TEST_P(onnx_attention, is_what_the_fused_kernel_computes) { expect_agreement(fused); }
TEST_P(onnx_attention, is_what_the_reference_computes) { expect_agreement(defined); }

// Every file of the folder is a case.
std::vector<std::string> cases() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(test_data() / "papers" / "onnx"))
    if (file.path().extension() == ".txt") names.push_back(file.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(of, onnx_attention, testing::ValuesIn(cases()), [](const auto& named) { return named.param; });

TEST(onnx_attention_cases, are_all_there) { EXPECT_EQ(cases().size(), 60u); }

}  // namespace
