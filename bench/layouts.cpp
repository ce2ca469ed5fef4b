// The same attention from memory as engines have it: token-major tensors (token, head, channel), with wider strides between tokens, and
// a fused projection whose tokens are queries, keys and values side by side. Each in turn with head-major tensors.
#include "support/benchmarks.hpp"

namespace {

using longspan::causal, longspan::dot_product, longspan::view;

// Heads of one token lie side by side.
template <class T>
view<T> token_major(T* data, index_t heads, index_t tokens, index_t channels, index_t stride) {
  return {data, {1, heads, tokens, channels}, {tokens * stride, channels, stride, 1}};
}

// What a token takes in each tensor, in elements: the output as narrow as it can be.
struct strides {
  index_t q, k, v;
  bool fused = false;  // q, k and v of one buffer

  static strides packed(const attention_shape& s) {
    return {s.heads * s.channels, s.key_heads * s.channels, s.key_heads * s.value_channels};
  }
  static strides of_bytes(index_t bytes) {
    const index_t each = bytes / index_t(sizeof(float));
    return {each, each, each};
  }
  static strides side_by_side(const attention_shape& s) {
    const strides alone = packed(s);
    const index_t all = alone.q + alone.k + alone.v;
    return {all, all, all, true};
  }
};

// Head-major tensors, and copies of them as an engine has them.
class engine_tensors {
 public:
  engine_tensors(const attention_shape& s, const strides& stride)
      : head_major(s),
        memory_(std::size_t(s.keys * (stride.fused ? stride.q : stride.q + stride.k + stride.v))),
        output_memory_(std::size_t(s.queries * s.heads * s.value_channels)) {
    const strides alone = strides::packed(s);
    float* const keys = memory_.data() + (stride.fused ? alone.q : s.queries * stride.q);
    float* const values = keys + (stride.fused ? alone.k : s.keys * stride.k);
    q_ = copied(head_major.q, memory_.data(), stride.q);
    k_ = copied(head_major.k, keys, stride.k);
    v_ = copied(head_major.v, values, stride.v);
    output_ = token_major(output_memory_.data(), s.heads, s.queries, s.value_channels, s.heads * s.value_channels);
  }

  template <class Mechanism>
  void attend(const Mechanism& mechanism) {
    longspan::forward_into(mechanism, q_, k_, v_, output_);
  }

  attention_tensors<float> head_major;

 private:
  static view<const float> copied(const tensor<float>& from, float* to, index_t stride) {
    const index_t heads = from.dimension(1), tokens = from.dimension(2), channels = from.dimension(3);
    const view<float> copy = token_major(to, heads, tokens, channels, stride);
    for (index_t h = 0; h < heads; ++h)
      for (index_t j = 0; j < tokens; ++j) std::copy_n(&from(0, h, j, 0), channels, copy.head(0, h).row(j));
    return copy;
  }

  roofline::memory_block memory_, output_memory_;
  view<const float> q_, k_, v_;
  view<float> output_;
};

void add_layout(const std::string& name, const attention_shape& shape, const strides& stride) {
  add("layouts/" + name + shape.name(), [=](benchmark::State& state) {
    engine_tensors tensors(shape, stride);
    const auto mechanism = dot_product{} | causal{};
    const both times = run_in_turn(state, [&] { tensors.head_major.attend(mechanism); }, [&] { tensors.attend(mechanism); });
    count<float>(state, times.other, shape, causal_pairs(shape));
    state.counters["x head-major"] = 1 / times.ratio();
  });
}

}  // namespace

void add_benchmarks() {
  for (const index_t d : {64, 128}) {
    for (const index_t n : {512, 2048, 4096}) {
      const attention_shape shape{.heads = 8, .keys = n, .channels = d};
      add_layout("token_major", shape, strides::packed(shape));
      add_layout("fused", shape, strides::side_by_side(shape));
      // Powers of two fall into few sets of a cache; 64 bytes more do not.
      for (const index_t bytes : {4096, 4160, 8192, 12288, 16384})
        add_layout("stride:" + std::to_string(bytes), shape, strides::of_bytes(bytes));
    }
    for (const index_t n : {512, 2048}) {
      const attention_shape shape{.heads = 32, .key_heads = 8, .keys = n, .channels = d};
      add_layout("token_major", shape, strides::packed(shape));
      add_layout("fused", shape, strides::side_by_side(shape));
    }
  }
}
