// The Attention operator of ONNX (opsets 23 to 25): the cases of its own node tests that need no mask given as data.
#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <longspan/longspan.hpp>

#include "support/onnx_case.hpp"
#include "support/tensors.hpp"

namespace {

using namespace testing_support;
using namespace longspan;
using namespace longspan::detail;

// A tensor of a case in storage S. Rank 4 is (batch, head, token, channel); rank 3 is (batch, token, heads x channels).
template <class S>
struct operand {
  std::vector<S> numbers;
  std::array<index_t, 4> extent, stride;

  operand(const onnx_tensor& from, double heads) {
    for (const double number : from.numbers) numbers.push_back(static_cast<S>(number));
    const auto& e = from.extents;
    const bool whole_rows = e.size() == 3;
    extent = whole_rows ? std::array{e[0], index_t(heads), e[1], e[2] / index_t(heads)} : std::array{e[0], e[1], e[2], e[3]};
    const auto [b, h, n, c] = extent;
    stride = whole_rows ? std::array{n * h * c, c, h * c, index_t(1)} : std::array{h * n * c, n * c, c, index_t(1)};
  }

  view<S> all() { return {numbers.data(), extent, stride}; }
  // The first tokens of one text of the batch.
  view<S> text(index_t b, index_t tokens) { return {numbers.data() + b * stride[0], {1, extent[1], tokens, extent[3]}, stride}; }
};

// Keys or values with those of the past before them, head by head. The cases with a past are of rank 4.
onnx_tensor with_past(const onnx_case& of, const std::string& past, const std::string& present) {
  onnx_tensor whole = of.inputs.at(present);
  if (!of.has(past)) return whole;
  const onnx_tensor &earlier = of.inputs.at(past), later = whole;
  whole.extents.at(2) += earlier.extents.at(2);
  whole.numbers.clear();
  const index_t heads = whole.extents[0] * whole.extents[1];
  const auto append = [&](const std::vector<double>& from, index_t head) {
    const auto block = std::ptrdiff_t(from.size()) / heads;
    whole.numbers.insert(whole.numbers.end(), from.begin() + head * block, from.begin() + (head + 1) * block);
  };
  for (index_t head = 0; head < heads; ++head) append(earlier.numbers, head), append(later.numbers, head);
  return whole;
}

// The attributes as a sentence, handed to `run`. A window size of -1 is unbounded.
template <class Run>
void with_mechanism(const onnx_case& of, Run run) {
  constexpr index_t unbounded = index_t(1) << 40;
  const dot_product score{.scale = of.attributes.count("scale") > 0 ? std::optional(of.attributes.at("scale")) : std::nullopt};
  const double cap = of.attribute("softcap", 0), left = of.attribute("left_window_size", -1),
               right = of.attribute("right_window_size", -1);
  const bool causally = of.attribute("is_causal", 0) != 0, windowed = left >= 0 || right >= 0;
  const sliding_window window{left < 0 ? unbounded : index_t(left), right < 0 ? unbounded : index_t(right)};
  if (cap > 0 && (causally || windowed)) throw std::runtime_error("no case caps logits under a mask");
  if (cap > 0) return run(score | softcap{cap} | everything{});
  if (causally) return windowed ? run(score | window | causal{}) : run(score | causal{});
  windowed ? run(score | window) : run(score | everything{});
}

// What `attend` makes of a case, in the order of Y. Query i stands behind the whole past; with key lengths the texts are calls of their
// own, and it stands at i + length - queries.
template <class S, class Attend>
std::vector<double> computed(const onnx_case& of, Attend attend) {
  const double heads = of.attribute("q_num_heads", 0), key_heads = of.attribute("kv_num_heads", 0);
  operand<S> q(of.inputs.at("Q"), heads), k(with_past(of, "past_key", "K"), key_heads),
      v(with_past(of, "past_value", "V"), key_heads);
  operand<S> output(of.outputs.at("Y"), heads);
  std::fill(output.numbers.begin(), output.numbers.end(), S(77));
  const index_t queries = q.extent[2];
  with_mechanism(of, [&](const auto& mechanism) {
    if (!of.has("nonpad_kv_seqlen")) {
      const index_t past = k.extent[2] - operand<S>(of.inputs.at("K"), key_heads).extent[2];
      return attend(mechanism, q.all(), k.all(), v.all(), output.all(), placement{.first_query = past});
    }
    for (index_t b = 0; b < q.extent[0]; ++b) {
      const auto length = index_t(of.inputs.at("nonpad_kv_seqlen").numbers.at(std::size_t(b)));
      attend(mechanism, q.text(b, queries), k.text(b, length), v.text(b, length), output.text(b, queries),
             placement{.first_query = length - queries});
    }
  });
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

class onnx_attention : public testing::TestWithParam<const char*> {
 protected:
  const onnx_case of = read_onnx_case(test_data() / "papers" / "onnx" / (std::string(GetParam()) + ".txt"));

  // float agrees to 1e-5, half to four units of its last place: there the operator itself has rounded every step to half.
  template <class Attend>
  void expect_agreement(Attend attend) const {
    const bool half = of.inputs.at("Q").type == "f16";
    const std::vector<double> ours = half ? computed<Eigen::half>(of, attend) : computed<float>(of, attend);
    const std::vector<double>& theirs = of.outputs.at("Y").numbers;
    ASSERT_EQ(ours.size(), theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i)
      ASSERT_NEAR(ours[i], theirs[i], half ? 2e-3 : 1e-5) << "element " << i << " of Y";
  }
};

TEST_P(onnx_attention, is_what_the_fused_kernel_computes) { expect_agreement(fused); }
TEST_P(onnx_attention, is_what_the_reference_computes) { expect_agreement(defined); }

INSTANTIATE_TEST_SUITE_P(of, onnx_attention,
                         testing::Values("3d_diff_heads_sizes_scaled", "3d_gqa", "3d_gqa_scaled", "3d_gqa_softcap", "3d_scaled",
                                         "3d_softcap", "3d_transpose_verification", "4d", "4d_causal",
                                         "4d_causal_nonpad_batch_prefill", "4d_causal_nonpad_negative_offset_structural_empty",
                                         "4d_causal_with_past_and_present", "4d_diff_heads_sizes_causal",
                                         "4d_diff_heads_sizes_scaled", "4d_gqa_causal", "4d_gqa_causal_nonpad_decode",
                                         "4d_gqa_causal_nonpad_decode_fp16", "4d_gqa_scaled", "4d_gqa_softcap", "4d_scaled",
                                         "bidirectional_window", "local_window", "local_window_default",
                                         "local_window_with_past"),
                         [](const auto& named) { return std::string(named.param); });

}  // namespace
