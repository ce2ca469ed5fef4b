// Calls of PyTorch and what stands for them here: from_pytorch.md quotes them. The expected numbers were printed by PyTorch 2.15 on a CPU, for
// these inputs: elements (0, 0, 0, 0), (1, 1, 3, 2) and (1, 3, 5, 7) of the output.
#include <array>
#include <cmath>
#include <iostream>
#include <limits>

#include <longspan/longspan.hpp>

namespace {

using namespace longspan;
using Tensor = Eigen::Tensor<float, 4, Eigen::RowMajor>;

bool right = true;

void expect(const char* call, double got, double wanted) {
  if (std::abs(got - wanted) <= 2e-6) return;
  std::cout << call << ": " << got << ", PyTorch " << wanted << '\n';
  right = false;
}
void expect(const char* call, const Tensor& output, const std::array<double, 3>& wanted) {
  expect(call, output(0, 0, 0, 0), wanted[0]);
  expect(call, output(1, 1, 3, 2), wanted[1]);
  expect(call, output(1, 3, 5, 7), wanted[2]);
}

Tensor filled(double step, index_t batch, index_t heads, index_t tokens, index_t channels) {
  Tensor made(batch, heads, tokens, channels);
  for (index_t n = 0; n < made.size(); ++n) made.data()[n] = float(std::sin(double(n) * step));
  return made;
}

// score_mod = lambda score, b, h, q_idx, kv_idx: score + 0.1 * (kv_idx - q_idx)
struct relative {
  auto operator()(const query_row&) const {
    return [](auto score, const auto& keys) { return score - 0.1f * keys.distance(); };
  }
};

// score_mod = lambda score, b, h, q_idx, kv_idx: torch.tanh(2 * score) * 3 / (h + 1)
struct by_head {
  auto operator()(const query_row& row) const {
    return [height = 3 / float(row.head + 1)](auto score, const auto&) { return height * tanh(2 * score); };
  }
};

// score_mod = lambda score, b, h, q_idx, kv_idx: torch.where(kv_idx <= q_idx, score, -float("inf"))
struct where_before {
  auto operator()(const query_row& row) const {
    return [here = float(row.query)](auto score, const auto& keys) {
      using longspan::select;
      return select(keys.position() <= here, score, -std::numeric_limits<double>::infinity());
    };
  }
};

}  // namespace

int main() {
  // Grouped heads need no flag (enable_gqa): query head h reads key head h / (heads / key_heads).
  const Tensor q = filled(0.37, 2, 4, 6, 8), k = filled(0.73, 2, 2, 9, 8), v = filled(0.19, 2, 2, 9, 8);

  // scaled_dot_product_attention(q, k, v)
  expect("plain", forward(dot_product{} | everything{}, q, k, v).output, {0.004691, 0.049074, -0.060084});
  // scaled_dot_product_attention(q, k, v, scale=0.5)
  expect("scale", forward(dot_product{.scale = 0.5} | everything{}, q, k, v).output, {0.001886, 0.038879, -0.042492});
  // scaled_dot_product_attention(q, k, v, is_causal=True): query 0 stands at key 0
  const placement top_left{.first_query = 0};
  const auto causal_there = forward(dot_product{} | causal{}, q, k, v, top_left);
  expect("is_causal", causal_there.output, {0, 0.027961, -0.107261});

  // attn_mask=mask, of bool: true means that the query sees the key
  Eigen::Tensor<bool, 4, Eigen::RowMajor> mask(1, 1, 6, 9);
  for (index_t i = 0; i < 6; ++i)
    for (index_t j = 0; j < 9; ++j) mask(0, 0, i, j) = (i * 3 + j * 5) % 4 != 0;
  expect("bool mask", forward(dot_product{} | boolean_mask{mask}, q, k, v).output, {0.080426, -0.162020, -0.027995});
  // attn_mask=added, of float
  const Tensor added = filled(0.11, 1, 4, 6, 9);
  expect("float mask", forward(dot_product{} | bias{added} | everything{}, q, k, v).output, {-0.024362, 0.021024, -0.079241});

  // flex_attention(q, k, v, score_mod=relative)
  expect("score_mod", forward(dot_product{} | relative{} | everything{}, q, k, v, top_left).output,
         {-0.026493, 0.083031, -0.044022});
  expect("score_mod of heads", forward(dot_product{} | by_head{} | everything{}, q, k, v).output,
         {0.022592, 0.075050, -0.107217});
  // flex_attention(q, k, v, score_mod=where_before) has the numbers of is_causal=True
  expect("torch.where", forward(dot_product{} | where_before{} | everything{}, q, k, v).output, {0, 0.027961, -0.107261});
  // flex_attention(q, k, v, block_mask=create_block_mask(lambda b, h, i, j: i >= j, ...), return_lse=True)
  expect("return_lse", causal_there.log_sum_exp(0, 0, 0), 0.054985);
  expect("return_lse", causal_there.log_sum_exp(1, 3, 5), 2.443348);
  // mask_mod = lambda b, h, i, j: (i + 3 >= j) & (i + 3 - j <= 2): without a placement the queries are the last of the keys
  const auto windowed = forward(dot_product{} | sliding_window{.before = 2} | causal{}, q, k, v);
  expect("mask_mod", windowed.output, {-0.076684, -0.292181, 0.287525});
  expect("mask_mod's lse", windowed.log_sum_exp(0, 0, 0), 1.665656);

  std::cout << (right ? "every call has PyTorch's numbers\n" : "a call has other numbers than PyTorch\n");
  return right ? 0 : 1;
}
