#pragma once

#include <cmath>
#include <vector>

#include <longspan/longspan.hpp>

namespace testing_support {

// A transform and a mask that the library does not have.
struct own_decay {
  float rate;
  auto operator()(const longspan::query_row& row) const {
    return [rate = rate / float(row.head + 1)](auto logit, const auto& keys) {
      return logit - rate * keys.distance() + 0.25f * tanh(logit);
    };
  }
};
struct own_stripes {
  std::array<longspan::interval, 3> operator()(const longspan::query_row& row) const {
    const longspan::index_t p = row.position;
    return {longspan::interval{p - 3, p + 1}, {p / 2 - 5, p / 2 + 1}, {0, 2}};
  }
};

// One mechanism for each way through the kernel, for two heads, as visit(name, mechanism): what the laws are tried on.
template <class Visit>
void for_each_kind_of_mechanism(Visit visit) {
  using namespace longspan;
  using namespace longspan::detail;
  visit("scaled dot product", dot_product{} | everything{});
  visit("CosScale + InfoScale", rope{} | cosine{} | cos_scale{16} | info_scale{.trained = 64} | causal{});
  visit("scale-invariant p-RoPE", rms_normalize{} | p_rope{.fraction = 0.5} | dot_product{} | scale_invariant{} | causal{});
  visit("softcap and window", dot_product{} | temperature{1.5} | softcap{3} | sliding_window{40, 7});
  visit("StreamingLLM", rope{} | dot_product{} | sinks_and_window{.sinks = 4, .window = 16});
  visit("prefix-LM", dot_product{} | prefix{12});
  visit("sink", dot_product{} | causal{} | sink{{0.5, -1}});
  visit("own transform and mask", dot_product{} | own_decay{0.05f} | own_stripes{} | causal{});
}

// Every mechanism of the two papers and of their baselines, for two heads, as visit(name, mechanism).
template <class Visit>
void for_each_mechanism(Visit visit) {
  using namespace longspan;
  using namespace longspan::detail;
  for_each_kind_of_mechanism(visit);
  visit("causal", dot_product{.scale = 0.2} | causal{});
  visit("RoPE", rope{} | dot_product{} | causal{});
  visit("RoPE interleaved", rope{.pairing = pairing::interleaved} | dot_product{} | causal{});
  visit("NTK-aware", rope{}.ntk(4) | dot_product{} | causal{});
  visit("position interpolation", rope{}.interpolate(4) | dot_product{} | causal{});
  visit("YaRN", rope{}.yarn({.factor = 4, .trained = 64}) | dot_product{} | causal{});
  visit("Llama 3", rope{}.llama3() | dot_product{} | causal{});
  visit("positions by maps", rope{}.at([](index_t text, index_t place) { return double(place) / 3 + double(text); },
                                       [](index_t place) { return place / 2; }) |
                                 dot_product{} | causal{});
  visit("partial rotary", partial_rotary{.fraction = 0.5} | dot_product{} | causal{});
  visit("truncated ladder", truncated_rope{} | dot_product{} | causal{});
  visit("p-RoPE", p_rope{} | dot_product{} | causal{});
  visit("cosine + CosScale", rope{} | cosine{} | cos_scale{16} | causal{});
  visit("InfoScale", rope{} | dot_product{} | info_scale{.trained = 64} | causal{});
  visit("LogN", dot_product{} | log_n{.trained = 64} | causal{});
  visit("LogN, clamped", dot_product{} | log_n{.trained = 64, .clamp = true} | causal{});
  visit("SSMax", dot_product{} | ss_max{.scale = {0.4, 0.3}} | causal{});
  visit("scale-invariant, general alpha", dot_product{} | scale_invariant{.tau = 3, .alpha = 1.2, .beta = 2} | causal{});
  visit("scale-invariant, bidirectional", dot_product{} | scale_invariant{} | everything{});
  visit("dropout", dot_product{} | causal{} | dropout{.share = 0.3, .seed = 5} | sink{0.5});
  visit("ALiBi", dot_product{} | alibi{} | causal{});
  visit("Llama 4", dot_product{} | llama4_temperature{.scale = 0.5, .floor = 50} | chunks{90});
  visit("skipping", dot_product{} | alibi{.slopes = per_head{{0.6, 0.3}}} | causal{} | skip_negligible{});
  visit("by distance", dot_product{} | by_distance{[](index_t t) { return std::cos(0.1 * double(t)); }} | causal{});
}

}  // namespace testing_support
