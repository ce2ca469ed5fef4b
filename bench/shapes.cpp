// Heads as well-known models have them, causal: wide ones (Gemma), keys wider than values, and keys whose first channels are the values
// (multi-head latent attention), which all query heads share.
#include "support/benchmarks.hpp"

namespace {

using longspan::causal, longspan::dot_product, longspan::view;

void add_shape(const char* name, const attention_shape& shape) {
  add(std::string("shapes/") + name + shape.name(), [=](benchmark::State& state) {
    attention_tensors<float> tensors(shape);
    count<float>(state, run(state, [&] { tensors.attend(dot_product{} | causal{}); }), shape, causal_pairs(shape));
  });
}

void add_latent(const attention_shape& shape) {
  add("shapes/latent" + shape.name(), [=](benchmark::State& state) {
    attention_tensors<float> tensors(shape);
    const view<const float> values{
        tensors.k.data(),
        {1, shape.key_heads, shape.keys, shape.value_channels},
        {shape.key_heads * shape.keys * shape.channels, shape.keys * shape.channels, shape.channels, 1}};
    const shortest time =
        run(state, [&] { longspan::forward_into(dot_product{} | causal{}, tensors.q, tensors.k, values, tensors.output); });
    count<float>(state, time, shape, causal_pairs(shape));
  });
}

}  // namespace

void add_benchmarks() {
  add_shape("wide", {.heads = 8, .key_heads = 4, .keys = 2048, .channels = 256});
  add_shape("wide", {.heads = 8, .key_heads = 2, .keys = 2048, .channels = 512});
  add_shape("narrow_values", {.heads = 8, .keys = 2048, .channels = 192, .value_channels = 128});
  add_latent({.heads = 16, .key_heads = 1, .keys = 2048, .channels = 576, .value_channels = 512});
}
