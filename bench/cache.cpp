// Decoding from a cache of prepared keys: one query a head over the keys of another layer in each call, as a model does, so that every key and
// value comes from memory. `x tensors` is how much faster than from tensors, which turn every key again; `x float` than a cache of floats.
#include <vector>

#include "support/benchmarks.hpp"

namespace {

using namespace longspan;

template <class Storage>
class cached_layers {
 public:
  template <class Mechanism>
  cached_layers(const attention_shape& shape, const Mechanism& mechanism) {
    const attention_tensors<float> tensors(shape);
    q_ = tensors.q, output_ = tensors.output;
    do {
      layers_.emplace_back(mechanism, cache_shape{shape.key_heads, shape.channels, shape.value_channels});
      layers_.back().append(tensors.k, tensors.v);
    } while (layers_.size() * std::size_t(layers_.back().bytes()) < roofline::beyond_caches());
  }

  template <class Mechanism>
  void attend(const Mechanism& mechanism) {
    forward_into(mechanism, q_, next(), output_);
  }
  template <class Mechanism>
  void attend(const Eigen::ThreadPoolDevice& device, const Mechanism& mechanism) {
    forward_into(device, mechanism, q_, next(), output_);
  }
  kv_cache<Storage>& next() { return layers_[calls_++ % layers_.size()]; }
  double bytes() const { return double(layers_[0].bytes()); }

 private:
  tensor<float> q_, output_;
  std::vector<kv_cache<Storage>> layers_;
  std::size_t calls_ = 0;
};

void count_reading(benchmark::State& state, const shortest& time, double bytes) {
  state.counters["GB/s"] = bytes / time.best() * 1e-9;
  state.counters["of bandwidth"] = bytes / time.best() / roofline::bandwidth();
  state.counters["tokens/s"] = 1 / time.best();
}

const auto turned = rope{} | dot_product{} | causal{};

template <class Storage>
void add_storage(const std::string& name, const attention_shape& shape) {
  add("cache/rope/" + name + shape.name(), [=](benchmark::State& state) {
    cached_layers<float> wide(shape, turned);
    cached_layers<Storage> text(shape, turned);
    const both times = run_in_turn(state, [&] { wide.attend(turned); }, [&] { text.attend(turned); });
    count_reading(state, times.other, text.bytes());
    state.counters["x float"] = 1 / times.ratio();
  });
}

template <class Mechanism>
void add_over_plain(const std::string& name, const attention_shape& shape, const Mechanism& mechanism) {
  add("cache/" + name + shape.name(), [=](benchmark::State& state) {
    cached_layers<float> text(shape, turned);
    const both times = run_in_turn(state, [&] { text.attend(turned); }, [&] { text.attend(mechanism); });
    count_reading(state, times.other, text.bytes());
    state.counters["over plain"] = times.ratio() - 1;
  });
}

}  // namespace

void add_benchmarks() {
  for (const index_t n : {4096, 32768}) {
    const attention_shape shape{.heads = 32, .key_heads = 8, .keys = n, .queries = 1, .channels = 128};
    add_storage<float>("float", shape);
    add_storage<Eigen::bfloat16>("bfloat16", shape);
    add_storage<Eigen::half>("half", shape);
    add_storage<quantized<8>>("quantized8", shape);
    add_over_plain("scale_invariant", shape, rope{} | dot_product{} | scale_invariant{} | causal{});
  }
  // Beside keys that are turned again for every token.
  const attention_shape shape{.heads = 32, .key_heads = 8, .keys = 4096, .queries = 1, .channels = 128};
  add("cache/x tensors" + shape.name(), [=](benchmark::State& state) {
    cached_layers<float> text(shape, turned);
    attention_tensors<float> tensors(shape);
    const both times = run_in_turn(state, [&] { tensors.attend(turned); }, [&] { text.attend(turned); });
    count_reading(state, times.other, text.bytes());
    state.counters["x tensors"] = 1 / times.ratio();
  });
  // A token appended to a layer's cache, beside decoding it there; it is taken back at once, so that the text stays as long.
  add("cache/append" + shape.name(), [=](benchmark::State& state) {
    cached_layers<float> text(shape, turned);
    attention_shape one = shape;
    one.keys = 1;
    const attention_tensors<float> token(one);
    const both times = run_in_turn(
        state, [&] { text.attend(turned); },
        [&] {
          kv_cache<float>& cache = text.next();
          cache.append(token.k, token.v);
          cache.truncate(cache.length() - 1);
        });
    state.counters["of decoding"] = times.ratio();
  });
}
