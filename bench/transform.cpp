// What a part costs: a mechanism with it and one without run in turn on the same tensors.
#include "support/benchmarks.hpp"

namespace {

using namespace longspan;

constexpr index_t trained = 512;

// A user's transform that reads positions; ALiBi is the same thing built in.
struct own_decay {
  float slope;
  auto operator()(const query_row& row) const {
    const float here = float(row.position);
    return [=, slope = slope](auto logit, const auto& keys) { return logit + slope * (keys.position() - here); };
  }
};

template <class Base, class Other>
void add_cost(const std::string& name, const Base& base, const Other& other) {
  add("transform/" + name, [=](benchmark::State& state) {
    const attention_shape shape{.keys = 4096};
    attention_tensors<float> tensors(shape);
    const both times = run_in_turn(state, [&] { tensors.attend(base); }, [&] { tensors.attend(other); });
    count<float>(state, times.other, shape, causal_pairs(shape));
    state.counters["cost"] = times.ratio() - 1;
  });
}

template <class Mechanism>
void add_cost_over_plain(const std::string& name, const Mechanism& mechanism) {
  add_cost(name, dot_product{} | causal{}, mechanism);
}

}  // namespace

void add_benchmarks() {
  add_cost_over_plain("plain", dot_product{} | causal{});  // the noise of the others
  add_cost_over_plain("temperature", dot_product{} | temperature{0.5} | causal{});
  add_cost_over_plain("rope", rope{} | dot_product{} | causal{});
  add_cost_over_plain("p_rope", p_rope{} | dot_product{} | causal{});
  add_cost_over_plain("info_scale", dot_product{} | info_scale{.trained = trained} | causal{});
  add_cost_over_plain("log_n", dot_product{} | log_n{.trained = trained} | causal{});
  add_cost_over_plain("ss_max", dot_product{} | ss_max{.scale = 0.43} | causal{});
  add_cost_over_plain("cosine + cos_scale + info_scale", cosine{} | cos_scale{64} | info_scale{.trained = trained} | causal{});
  add_cost_over_plain("scale_invariant", dot_product{} | scale_invariant{} | causal{});
  add_cost_over_plain("alibi", dot_product{} | alibi{} | causal{});
  add_cost_over_plain("by_distance", dot_product{} | by_distance{[](index_t t) { return -0.01 * double(t); }} | causal{});
  add_cost_over_plain("softcap", dot_product{} | softcap{50} | causal{});
  add_cost_over_plain("dropout", dot_product{} | causal{} | dropout{.share = 0.1});
  add_cost_over_plain("dropout of share 0", dot_product{} | causal{} | dropout{.share = 0});
  // The same rows in two sentences: each row's keys are cut at another place.
  add_cost("sum of two halves", dot_product{} | causal{},
           (dot_product{} | sliding_window{1023}) + (dot_product{} | causal{} | at_least{1024}));
  add_cost("sum of two halves with rope", rope{} | dot_product{} | causal{},
           (rope{} | dot_product{} | sliding_window{1023}) + (rope{} | dot_product{} | causal{} | at_least{1024}));
  const float slope = float(alibi::slope(0, 1));
  add_cost("own decay over alibi", dot_product{} | alibi{} | causal{}, dot_product{} | own_decay{slope} | causal{});
}
