// Batches of texts of different lengths, in one call, beside a call for each text: no padding is computed, and threads share the work of
// all texts.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "support/benchmarks.hpp"

namespace {

using namespace longspan;

// A batch of padded texts, and each text as a call of its own would be given it.
struct padded_texts {
  attention_shape shape;
  std::vector<index_t> keys, queries;
  tensor<float> q, k, v, output;

  padded_texts(const attention_shape& of, std::vector<index_t> lengths, bool decoding)
      : shape(of),
        keys(std::move(lengths)),
        queries(decoding ? std::vector<index_t>(keys.size(), 1) : keys),
        q(texts(), of.heads, most(queries), of.channels),
        k(texts(), of.key_heads, most(keys), of.channels),
        v(texts(), of.key_heads, most(keys), of.channels),
        output(q.dimensions()) {
    const std::vector<float>& numbers = normal_numbers();
    for (tensor<float>* each : {&q, &k, &v})
      for (Eigen::Index i = 0; i < each->size(); ++i) each->data()[i] = numbers[std::size_t(i) % numbers.size()];
    output.setZero();
  }

  index_t texts() const { return index_t(keys.size()); }
  static index_t most(const std::vector<index_t>& lengths) { return *std::max_element(lengths.begin(), lengths.end()); }

  template <class Device, class Mechanism>
  void attend(const Device& device, const Mechanism& mechanism) {
    forward_into(device, mechanism, q, k, v, output, placement{.key_lengths = keys, .query_lengths = queries});
  }
  // One call after the other, of the texts' own tokens.
  template <class Mechanism>
  void attend_one_by_one(const Mechanism& mechanism) {
    for (index_t b = 0; b < texts(); ++b) {
      const auto own = [&](tensor<float>& t, const std::vector<index_t>& lengths) {
        const index_t heads = t.dimension(1), tokens = t.dimension(2), channels = t.dimension(3);
        return view<float>{t.data() + b * heads * tokens * channels,
                           {1, heads, lengths[std::size_t(b)], channels},
                           {heads * tokens * channels, tokens * channels, channels, 1}};
      };
      forward_into(mechanism, own(q, queries), own(k, keys), own(v, keys), own(output, queries));
    }
  }

  // Of one head.
  double causal_pairs() const {
    double pairs = 0;
    for (std::size_t b = 0; b < keys.size(); ++b) pairs += double(queries[b]) * (double(keys[b]) - double(queries[b] - 1) / 2);
    return pairs;
  }
};

void count_texts(benchmark::State& state, const shortest& time, const padded_texts& of, int threads = 1) {
  const double flop = 4 * double(of.shape.heads) * of.causal_pairs() * double(of.shape.channels);
  double keys = 0, queries = 0;
  for (const index_t n : of.keys) keys += double(n);
  for (const index_t n : of.queries) queries += double(n);
  const double bytes = 4 * 2 * double(of.shape.channels) * (double(of.shape.key_heads) * keys + double(of.shape.heads) * queries);
  state.counters["of peak"] = flop / time.best() / (roofline::flops<float>() * threads);
  state.counters["GB/s"] = bytes / time.best() * 1e-9;
  state.counters["of bandwidth"] = bytes / time.best() / roofline::bandwidth();
  state.counters["tokens/s"] = queries / time.best();
}

// The time of one call, as a multiple of that of a call for each text.
void add_beside_single_calls(const std::string& name, const attention_shape& shape, std::vector<index_t> lengths, bool decoding) {
  add("texts/" + name, [=](benchmark::State& state) {
    padded_texts texts(shape, lengths, decoding);
    const auto mechanism = dot_product{} | causal{};
    const both times =
        run_in_turn(state, [&] { texts.attend_one_by_one(mechanism); }, [&] { texts.attend(Eigen::DefaultDevice{}, mechanism); });
    count_texts(state, times.other, texts);
    state.counters["x one by one"] = times.ratio();
  });
}

void add_threads(const std::string& name, const attention_shape& shape, std::vector<index_t> lengths, bool decoding) {
  add("texts/threads:2/" + name, [=](benchmark::State& state) {
    constexpr int threads = 2;
    Eigen::ThreadPool pool(threads);
    const Eigen::ThreadPoolDevice device(&pool, threads);
    padded_texts texts(shape, lengths, decoding);
    const auto mechanism = dot_product{} | causal{};
    const both times =
        run_in_turn(state, [&] { texts.attend(Eigen::DefaultDevice{}, mechanism); }, [&] { texts.attend(device, mechanism); });
    count_texts(state, times.other, texts, threads);
    state.counters["x one thread"] = 1 / times.ratio();
  });
}

// So many lengths from one to another, in no order.
std::vector<index_t> between(index_t least, index_t most, index_t texts) {
  std::vector<index_t> lengths;
  for (index_t t = 0; t < texts; ++t)
    lengths.push_back(least + t * 13 % texts * (most - least) / std::max<index_t>(1, texts - 1));
  return lengths;
}
std::vector<index_t> one_long_and(index_t many, index_t text) {
  std::vector<index_t> lengths(std::size_t(many), text);
  lengths[std::size_t(many / 2)] = 4096;
  return lengths;
}

}  // namespace

void add_benchmarks() {
  const attention_shape prefill{.heads = 4, .key_heads = 4, .channels = 64},
      decoding{.heads = 32, .key_heads = 8, .channels = 128};
  add_beside_single_calls("prefill/texts:32/n:100-4000", prefill, between(100, 4000, 32), false);
  add_beside_single_calls("decode/texts:64/n:100-2000", decoding, between(100, 2000, 64), true);
  for (const index_t texts : {8, 64})
    add_beside_single_calls("decode/texts:" + std::to_string(texts) + "/n:512", decoding,
                            std::vector<index_t>(std::size_t(texts), 512), true);
  add_threads("prefill/texts:64/n:100+4096", prefill, one_long_and(64, 100), false);
  add_threads("prefill/texts:32/n:100-4000", prefill, between(100, 4000, 32), false);
  add_threads("decode/texts:64/n:100-2000", decoding, between(100, 2000, 64), true);
}
