// Mechanisms whose logits fall with the distance, with skip_negligible and without: time, and the share of the pairs of a query and a key
// that are computed.
#include <random>
#include <string>

#include "support/gradients.hpp"

namespace {

using namespace longspan;

const attention_shape shape{.heads = 8, .keys = 16384};

// c of a Forgetting transformer: sums of the logs of gates. These fall by a gamma distribution of shape 1/2, so that most gates forget
// little and some much.
tensor<float> sums_of_log_gates(double mean) {
  tensor<float> c(1, shape.heads, shape.keys, 1);
  std::mt19937 generator(3);
  std::gamma_distribution<double> fall(0.5, -2 * mean);
  for (index_t h = 0; h < shape.heads; ++h) {
    double sum = 0;
    for (index_t j = 0; j < shape.keys; ++j) c(0, h, j, 0) = float(sum -= fall(generator));
  }
  return c;
}

view<const float> view_of(const tensor<float>& t) { return {t.data(), {1, shape.heads, shape.keys, 1}, {0, shape.keys, 1, 1}}; }

// Of the pairs that the mask shows, those that a forward pass attends to.
template <class Mechanism>
double share_of_pairs(const Mechanism& mechanism, attention_tensors<float>& of) {
  const auto tensors = detail::make_forward_tensors(of.q, of.k, of.v, of.output);
  const detail::batch_of_texts batch(tensors.query, tensors.key, tensors.value, {});
  const auto bound = detail::without_negligible(detail::this_thread{}, mechanism,
                                                detail::bind<float>(mechanism, batch.lengths, batch.texts, 512), tensors);
  double kept = 0, seen = 0;
  for (index_t h = 0; h < shape.heads; ++h)
    for (index_t i = 0; i < shape.queries; ++i)
      kept += double(bound[0].seen->keys_of(h, i).count()), seen += double(bound[0].seen->count(h, i));
  return kept / seen;
}

template <class Make>
void add_beside_whole(const std::string& name, Make make) {
  add("skipping/forward/" + name + shape.name(), [=](benchmark::State& state) {
    attention_tensors<float> tensors(shape);
    const auto made = make();
    const auto whole = made.sentence(), skipping = whole | skip_negligible{};
    const both times = run_in_turn(state, [&] { tensors.attend(whole); }, [&] { tensors.attend(skipping); });
    state.counters["x faster"] = 1 / times.ratio();
    state.counters["of pairs"] = share_of_pairs(skipping, tensors);
    count<float>(state, times.base, shape, causal_pairs(shape));
  });
  add("skipping/backward/" + name + shape.name(), [=](benchmark::State& state) {
    gradient_tensors<float> tensors(shape);
    const auto made = make();
    const auto whole = made.sentence(), skipping = whole | skip_negligible{};
    tensors.keep(skipping);
    const both times = run_in_turn(state, [&] { tensors.differentiate(whole); }, [&] { tensors.differentiate(skipping); });
    state.counters["x faster"] = 1 / times.ratio();
    count_backward<float>(state, times.base, shape, causal_pairs(shape));
  });
}

struct with_gates {
  tensor<float> c;
  auto sentence() const { return dot_product{} | forgetting{view_of(c)} | causal{}; }
};
struct with_slopes {
  auto sentence() const { return dot_product{} | alibi{} | causal{}; }
};
struct with_normalized_rows {
  tensor<float> c;
  auto sentence() const { return rms_normalize{} | rope{} | dot_product{} | forgetting{view_of(c)} | causal{}; }
};

}  // namespace

void add_benchmarks() {
  add_beside_whole("forgetting:0.01", [] { return with_gates{sums_of_log_gates(-0.01)}; });
  add_beside_whole("forgetting:0.03", [] { return with_gates{sums_of_log_gates(-0.03)}; });
  add_beside_whole("rms_normalize+rope+forgetting:0.01", [] { return with_normalized_rows{sums_of_log_gates(-0.01)}; });
  add_beside_whole("alibi", [] { return with_slopes{}; });
}
