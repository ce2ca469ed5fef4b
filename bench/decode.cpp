// A few queries over a cache of keys and values. Each call reads the cache of another layer, as a model does, so that every key and
// value comes from memory; GB/s counts each of them once, however many query heads share it.
#include <vector>

#include "support/benchmarks.hpp"

namespace {

using longspan::causal, longspan::dot_product, longspan::rope, longspan::view;

// What a model keeps of a text, layer by layer.
template <class T>
class layers {
 public:
  explicit layers(const attention_shape& shape)
      : of_layer_(std::size_t(roofline::beyond_caches() / (shape.elements() * sizeof(T))) + 1, attention_tensors<T>(shape)) {}

  attention_tensors<T>& next() { return of_layer_[calls_++ % of_layer_.size()]; }

 private:
  std::vector<attention_tensors<T>> of_layer_;
  std::size_t calls_ = 0;
};

// The same memory as a cache that lies (token, key head, channel).
template <class T>
view<const T> token_major(const tensor<T>& cache) {
  const index_t heads = cache.dimension(1), tokens = cache.dimension(2), channels = cache.dimension(3);
  return {cache.data(), {1, heads, tokens, channels}, {heads * tokens * channels, channels, heads * channels, 1}};
}

template <class T>
void count_decoding(benchmark::State& state, const shortest& time, const attention_shape& shape) {
  count<T>(state, time, shape, all_pairs(shape));
  state.counters["of the limit"] = std::max<double>(state.counters["of bandwidth"], state.counters["of peak"]);
}

template <class T, class Mechanism>
void add_decode(const std::string& name, const attention_shape& shape, const Mechanism& mechanism) {
  add("decode/" + name + shape.name(), [=](benchmark::State& state) {
    layers<T> text(shape);
    count_decoding<T>(state, run(state, [&] { text.next().attend(mechanism); }), shape);
  });
}
template <class T>
void add_decode(const attention_shape& shape) {
  const std::string queries = shape.queries == 1 ? "" : "/queries:" + std::to_string(shape.queries);
  add_decode<T>(name_of<T>() + queries, shape, dot_product{} | causal{});
}

// Beside float tensors of the same shape.
template <class T>
void add_narrow(const attention_shape& shape) {
  add("decode/" + name_of<T>() + shape.name(), [=](benchmark::State& state) {
    layers<float> floats(shape);
    layers<T> text(shape);
    const auto mechanism = dot_product{} | causal{};
    const both times = run_in_turn(state, [&] { floats.next().attend(mechanism); }, [&] { text.next().attend(mechanism); });
    count_decoding<T>(state, times.other, shape);
    state.counters["x float"] = 1 / times.ratio();
  });
}

template <class T>
void add_token_major(const attention_shape& shape) {
  add("decode/" + name_of<T>() + "/token_major" + shape.name(), [=](benchmark::State& state) {
    layers<T> text(shape);
    const both times = run_in_turn(
        state, [&] { text.next().attend(dot_product{} | causal{}); },
        [&] {
          attention_tensors<T>& layer = text.next();
          longspan::forward_into(dot_product{} | causal{}, layer.q, token_major(layer.k), token_major(layer.v), layer.output);
        });
    count_decoding<T>(state, times.other, shape);
    state.counters["x head-major"] = 1 / times.ratio();
  });
}

// A group of heads that share a key head, beside a group of four over the same keys and values.
template <class T>
void add_group(const attention_shape& shape) {
  add("decode/" + name_of<T>() + "/group" + shape.name(), [=](benchmark::State& state) {
    attention_shape of_four = shape;
    of_four.heads = 4 * shape.key_heads;
    layers<T> four(of_four), text(shape);
    const auto mechanism = dot_product{} | causal{};
    const both times = run_in_turn(state, [&] { four.next().attend(mechanism); }, [&] { text.next().attend(mechanism); });
    count_decoding<T>(state, times.other, shape);
    state.counters["x group of 4"] = 1 / times.ratio();
  });
}

}  // namespace

void add_benchmarks() {
  for (const index_t n : {4096, 32768}) {
    add_decode<float>({.heads = 32, .key_heads = 8, .keys = n, .queries = 1, .channels = 128});
    add_decode<float>({.heads = 8, .keys = n, .queries = 1, .channels = 128});
    add_narrow<Eigen::bfloat16>({.heads = 32, .key_heads = 8, .keys = n, .queries = 1, .channels = 128});
    add_narrow<Eigen::half>({.heads = 32, .key_heads = 8, .keys = n, .queries = 1, .channels = 128});
  }
  for (const index_t n : {4096, 8192, 32768})
    add_token_major<float>({.heads = 32, .key_heads = 8, .keys = n, .queries = 1, .channels = 128});
  for (const index_t heads : {8, 32})
    for (const index_t queries : {2, 4, 8, 16})
      add_decode<float>({.heads = heads, .key_heads = 8, .keys = 32768, .queries = queries, .channels = 128});
  for (const index_t heads : {28, 32})
    add_group<float>({.heads = heads, .key_heads = 4, .keys = 32768, .queries = 1, .channels = 128});
  add_decode<float>("rope", {.heads = 32, .key_heads = 8, .keys = 4096, .queries = 1, .channels = 128},
                    rope{} | dot_product{} | causal{});
}
