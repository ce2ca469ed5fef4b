// Generating from a cache of prepared keys. Decoding: one query a head over the keys of another layer in each call, as a model does, so
// that every key and value comes from memory. `x tensors` is how much faster than from tensors, which turn every key again; `x float` than a cache of floats;
// `beyond numbers` is the memory that a cache takes beside its numbers.
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
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
    } while (double(layers_.size()) * double(layers_.back().bytes()) < roofline::beyond_caches());
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
  std::vector<kv_cache<Storage>>& all() { return layers_; }
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
    const double bytes_a_number = std::is_same_v<Storage, quantized<8>> ? 1 : double(sizeof(Storage));
    state.counters["beyond numbers"] = text.bytes() / (shape.key_and_value_elements() * bytes_a_number) - 1;
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

// The layers of an engine that keeps prepared keys in pages of its own, handed out in no order: (page, key_head, token, channel), or
// token-major (page, token, key_head, channel).
template <class Number>
class paged_layers {
 public:
  paged_layers(const attention_shape& shape, index_t page_tokens, bool token_major)
      : shape_(shape),
        page_tokens_(page_tokens),
        pages_(shape.keys / page_tokens),
        token_major_(token_major),
        lengths_{shape.keys},
        tensors_(shape) {
    pools_.resize(std::size_t(roofline::beyond_caches() / bytes()) + 1,
                  std::vector<Number>(std::size_t(shape.key_and_value_elements()), Number(1)));
    for (index_t p = 0; p < pages_; ++p) table_.push_back(std::int32_t(p * 7 % pages_));
  }
  template <class Mechanism>
  void attend(const Mechanism& mechanism) {
    const std::vector<Number>& pool = pools_[calls_++ % pools_.size()];
    const auto of = [&](const Number* from) {
      const index_t row = shape_.channels, page = shape_.key_heads * page_tokens_ * row;
      const index_t head = token_major_ ? row : page_tokens_ * row, token = token_major_ ? shape_.key_heads * row : row;
      return view<const Number>{from, {pages_, shape_.key_heads, page_tokens_, row}, {page, head, token, 1}};
    };
    const paged pages{of(pool.data()), of(pool.data() + pool.size() / 2), std::span(table_), std::span(lengths_)};
    forward_into(mechanism, tensors_.q, prepared_keys{pages}, tensors_.output);
  }
  double bytes() const { return shape_.key_and_value_elements() * sizeof(Number); }

 private:
  attention_shape shape_;
  index_t page_tokens_, pages_;
  bool token_major_;
  std::vector<index_t> lengths_;
  std::vector<std::int32_t> table_;
  attention_tensors<float> tensors_;
  std::vector<std::vector<Number>> pools_;
  std::size_t calls_ = 0;
};

// Beside a cache of the same numbers.
template <class Number>
void add_pages(const std::string& name, const attention_shape& shape, index_t page_tokens, bool token_major) {
  add("cache/pages:" + std::to_string(page_tokens) + name + shape.name(), [=](benchmark::State& state) {
    cached_layers<Number> text(shape, turned);
    paged_layers<Number> pages(shape, page_tokens, token_major);
    const both times = run_in_turn(state, [&] { text.attend(turned); }, [&] { pages.attend(turned); });
    count_reading(state, times.other, pages.bytes());
    state.counters["x cache"] = 1 / times.ratio();
  });
}

void count_reading_of_two(benchmark::State& state, const shortest& time, double bytes) {
  count_reading(state, time, bytes);
  const double together = bytes / time.best() / roofline::bandwidth_of_two();
  state.counters["of the bandwidth of two"] = together;
}

// One text on two threads, beside one.
void add_threads(const attention_shape& shape) {
  add("cache/threads:2/float" + shape.name(), [=](benchmark::State& state) {
    Eigen::ThreadPool pool(2);
    const Eigen::ThreadPoolDevice device(&pool, 2);
    cached_layers<float> text(shape, turned);
    const both times = run_in_turn(state, [&] { text.attend(turned); }, [&] { text.attend(device, turned); });
    count_reading_of_two(state, times.other, text.bytes());
    state.counters["x one thread"] = 1 / times.ratio();
  });
}

// A batch of texts of 1000 to 8000 tokens on two threads. Its keys and values are beyond every cache.
void add_batch() {
  add("cache/threads:2/texts:8/n:1000-8000", [](benchmark::State& state) {
    constexpr index_t texts = 8, heads = 32, key_heads = 8, channels = 128;
    Eigen::ThreadPool pool(2);
    const Eigen::ThreadPoolDevice device(&pool, 2);
    kv_cache<float> cache(turned, {key_heads, channels, channels, texts});
    for (index_t t = 0; t < texts; ++t) {
      const attention_tensors<float> of(
          {.heads = heads, .key_heads = key_heads, .keys = 1000 * (t + 1), .queries = 1, .channels = channels});
      cache.append(t, of.k, of.v);
    }
    tensor<float> q(texts, heads, 1, channels), output(texts, heads, 1, channels);
    q.setRandom();
    const shortest time = run(state, [&] { forward_into(device, turned, q, cache, output); });
    count_reading_of_two(state, time, 36000.0 * double(key_heads * channels) * 2 * sizeof(float));
  });
}

// 64 continuations of one prompt, beside one of them 64 times: the keys that they share are read once for many.
void add_continuations(const attention_shape& shape) {
  add("cache/texts:64/one prompt" + shape.name(), [=](benchmark::State& state) {
    constexpr index_t texts = 64;
    const attention_tensors<float> prompt(shape);
    kv_cache<float> cache(turned, {shape.key_heads, shape.channels, shape.value_channels, texts});
    cache.append(0, prompt.k, prompt.v);
    for (index_t t = 1; t < texts; ++t) cache.copy(0, t);
    attention_shape tail = shape;
    tail.keys = 100;
    const attention_tensors<float> own(tail);
    for (index_t t = 0; t < texts; ++t) cache.append(t, own.k, own.v);
    tensor<float> q(texts, shape.heads, 1, shape.channels), output(texts, shape.heads, 1, shape.value_channels);
    q.setRandom();
    cached_layers<float> alone(shape, turned);
    const both times = run_in_turn(state, [&] { alone.attend(turned); }, [&] { forward_into(turned, q, cache, output); });
    state.counters["x one by one"] = times.ratio() / double(texts);
    state.counters["tokens/s"] = double(texts) / times.other.best();
  });
}

// A long prompt in chunks, each over all keys so far, beside the whole prompt at once.
void add_chunks() {
  const attention_shape whole{.heads = 4, .key_heads = 1, .keys = 16384, .channels = 128};
  add("cache/chunks:512" + whole.name(), [=](benchmark::State& state) {
    attention_tensors<float> tensors(whole);
    const auto some = [&](tensor<float>& t, index_t first, index_t count) {
      const index_t tokens = t.dimension(2), channels = t.dimension(3);
      return view<float>{t.data() + first * channels,
                         {1, t.dimension(1), count, channels},
                         {t.dimension(1) * tokens * channels, tokens * channels, channels, 1}};
    };
    const auto prefill = [&](index_t chunk) {
      kv_cache<float> cache(turned, {whole.key_heads, whole.channels, whole.value_channels});
      for (index_t first = 0; first < whole.keys; first += chunk) {
        cache.append(some(tensors.k, first, chunk), some(tensors.v, first, chunk));
        forward_into(turned, some(tensors.q, first, chunk), cache, some(tensors.output, first, chunk));
      }
    };
    const both times = run_in_turn(state, [&] { prefill(whole.keys); }, [&] { prefill(512); });
    count<float>(state, times.other, whole, causal_pairs(whole));
    state.counters["over at once"] = times.ratio() - 1;
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
    add_threads(shape);
    for (const index_t page_tokens : {16, 64, 256}) {
      add_pages<float>("", shape, page_tokens, false);
      add_pages<float>("/token_major", shape, page_tokens, true);
      add_pages<Eigen::bfloat16>("/bfloat16", shape, page_tokens, false);
    }
  }
  add_batch();
  add_continuations({.heads = 32, .key_heads = 8, .keys = 8192, .queries = 1, .channels = 128});
  add_chunks();
  // Beside keys that are turned again for every token.
  const attention_shape shape{.heads = 32, .key_heads = 8, .keys = 4096, .queries = 1, .channels = 128};
  add("cache/x tensors" + shape.name(), [=](benchmark::State& state) {
    cached_layers<float> text(shape, turned);
    attention_tensors<float> tensors(shape);
    const both times = run_in_turn(state, [&] { tensors.attend(turned); }, [&] { text.attend(turned); });
    count_reading(state, times.other, text.bytes());
    state.counters["x tensors"] = 1 / times.ratio();
  });
  // A token appended to a layer's cache, beside decoding it there: as many as fill a page, to all layers in turn, so that the new page
  // counts in each; they are taken back at once.
  add("cache/append" + shape.name(), [=](benchmark::State& state) {
    constexpr index_t tokens = 128;
    cached_layers<float> text(shape, turned);
    attention_shape one = shape;
    one.keys = 1;
    const attention_tensors<float> token(one);
    const both times = run_in_turn(
        state, [&] { text.attend(turned); },
        [&] {
          for (index_t t = 0; t < tokens; ++t)
            for (kv_cache<float>& cache : text.all()) cache.append(token.k, token.v);
          for (kv_cache<float>& cache : text.all()) cache.truncate(shape.keys);
        });
    state.counters["of decoding"] = times.ratio() / double(tokens * index_t(text.all().size()));
  });
}
