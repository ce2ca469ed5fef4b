// Calls of flash-attention and what stands for them here: from_flash_attention.md quotes them. Each is compared with the text alone.
#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>
#include <vector>

#include <longspan/longspan.hpp>

namespace {

using namespace longspan;

constexpr index_t heads = 4, key_heads = 2, channels = 16;

// Attention of one text by its definition, in double: row i of a head sees the keys from i + offset - left to i + offset.
double by_definition(const std::vector<float>& q, const std::vector<float>& k, const std::vector<float>& v, interval queries,
                     interval keys, index_t i, index_t h, index_t c, index_t left) {
  const index_t place = i + keys.size() - queries.size();
  double sum = 0, weighted = 0;
  for (index_t j = std::max<index_t>(0, place - left); j <= place; ++j) {
    double score = 0;
    const index_t key = ((keys.first + j) * key_heads + h / (heads / key_heads)) * channels;
    for (index_t d = 0; d < channels; ++d)
      score += double(q[std::size_t(((queries.first + i) * heads + h) * channels + d)]) * double(k[std::size_t(key + d)]);
    const double weight = std::exp(score / std::sqrt(double(channels)));
    sum += weight, weighted += weight * double(v[std::size_t(key + c)]);
  }
  return sum > 0 ? weighted / sum : 0;
}

std::vector<float> filled(double step, index_t count) {
  std::vector<float> made(std::size_t(count), 0.f);
  for (index_t n = 0; n < count; ++n) made[std::size_t(n)] = float(std::sin(double(n) * step));
  return made;
}

}  // namespace

int main() {
  // Three texts: 5, 1 and 10 queries over 5, 12 and 20 keys.
  const std::array<index_t, 4> cu_seqlens_q{0, 5, 6, 16}, cu_seqlens_k{0, 5, 17, 37};
  const auto q = filled(0.37, 16 * heads * channels), k = filled(0.73, 37 * key_heads * channels),
             v = filled(0.19, 37 * key_heads * channels);
  std::vector<float> out(q.size());

  // (total tokens, heads, channels), as flash-attention has it: the strides say so, nothing is copied.
  const auto thd = [](auto* data, index_t tokens, index_t count) {
    return view<std::remove_pointer_t<decltype(data)>>{
        data, {1, count, tokens, channels}, {tokens * count * channels, channels, count * channels, 1}};
  };
  // flash_attn_varlen_func(q, k, v, cu_seqlens_q, cu_seqlens_k, max_q, max_k, causal=True, window_size=(7, 0))
  const auto mechanism = dot_product{} | sliding_window{.before = 7} | causal{};
  forward_into(mechanism, thd(q.data(), 16, heads), thd(k.data(), 37, key_heads), thd(v.data(), 37, key_heads),
               thd(out.data(), 16, heads), placement{.query_starts = cu_seqlens_q, .key_starts = cu_seqlens_k});

  double worst = 0;
  for (std::size_t t = 0; t < 3; ++t) {
    const interval queries{cu_seqlens_q[t], cu_seqlens_q[t + 1]}, keys{cu_seqlens_k[t], cu_seqlens_k[t + 1]};
    for (index_t i = 0; i < queries.size(); ++i)
      for (index_t h = 0; h < heads; ++h)
        for (index_t c = 0; c < channels; ++c) {
          const double wanted = by_definition(q, k, v, queries, keys, i, h, c, 7);
          const double got = out[std::size_t(((queries.first + i) * heads + h) * channels + c)];
          if (!(std::abs(got - wanted) <= worst)) worst = std::abs(got - wanted);
        }
  }
  std::cout << "largest difference from the definition " << worst << '\n';
  return worst <= 1e-6 ? 0 : 1;
}
