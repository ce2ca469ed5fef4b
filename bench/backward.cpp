// The backward pass: five products, 10 n^2 d operations a head, of which causal work counts half. Beside it scale-invariant attention,
// each in turn with plain causal attention, and two threads in turn with one.
#include "support/benchmarks.hpp"
#include "support/gradients.hpp"

namespace {

using longspan::causal, longspan::dot_product, longspan::everything, longspan::scale_invariant;

template <class T, class Mechanism>
void add_backward(const char* name, const attention_shape& shape, double pairs, const Mechanism& mechanism) {
  add("backward/" + name_of<T>() + "/" + name + shape.name(), [=](benchmark::State& state) {
    gradient_tensors<T> tensors(shape);
    tensors.keep(mechanism);
    count_backward<T>(state, run(state, [&] { tensors.differentiate(mechanism); }), shape, pairs);
  });
}

template <class Mechanism>
void add_cost(const char* name, const attention_shape& shape, const Mechanism& mechanism) {
  add(std::string("backward/cost/") + name + shape.name(), [=](benchmark::State& state) {
    gradient_tensors<float> plain(shape), other(shape);
    plain.keep(dot_product{} | causal{}), other.keep(mechanism);
    const both times =
        run_in_turn(state, [&] { plain.differentiate(dot_product{} | causal{}); }, [&] { other.differentiate(mechanism); });
    count_backward<float>(state, times.other, shape, causal_pairs(shape));
    state.counters["x plain"] = times.ratio();
  });
}

void add_two_threads(const attention_shape& shape) {
  add("backward/threads:2/causal" + shape.name(), [=](benchmark::State& state) {
    gradient_tensors<float> tensors(shape);
    const auto mechanism = dot_product{} | causal{};
    tensors.keep(mechanism);
    Eigen::ThreadPool pool(2);
    const Eigen::ThreadPoolDevice device(&pool, 2);
    const both times =
        run_in_turn(state, [&] { tensors.differentiate(mechanism); }, [&] { tensors.differentiate(mechanism, device); });
    count_backward<float>(state, times.other, shape, causal_pairs(shape), 2);
    state.counters["x one thread"] = 1 / times.ratio();
  });
}

}  // namespace

void add_benchmarks() {
  for (const index_t d : {64, 128}) {
    for (const index_t n : {512, 2048, 4096}) {
      const attention_shape shape{.heads = n == 512 ? 8 : 1, .keys = n, .channels = d};
      add_backward<float>("causal", shape, causal_pairs(shape), dot_product{} | causal{});
      add_backward<float>("full", shape, all_pairs(shape), dot_product{} | everything{});
    }
  }
  const attention_shape shape{.keys = 4096};
  add_backward<double>("causal", shape, causal_pairs(shape), dot_product{} | causal{});
  add_backward<Eigen::bfloat16>("causal", shape, causal_pairs(shape), dot_product{} | causal{});
  add_cost("scale_invariant", shape, dot_product{} | scale_invariant{} | causal{});
  add_cost("rope", shape, longspan::rope{} | dot_product{} | causal{});
  add_cost("softcap", shape, dot_product{} | longspan::softcap{50} | causal{});
  add_cost("dropout", shape, dot_product{} | causal{} | longspan::dropout{.share = 0.1});
  add_two_threads({.heads = 8, .keys = 2048});
  add_two_threads({.heads = 1, .keys = 8192});
}
