// The backward pass: five products, 10 n^2 d operations a head, of which causal work counts half. Beside it scale-invariant attention,
// each in turn with plain causal attention, and two threads in turn with one; and learned numbers, in turn with the same without them.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

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

// Numbers that a function of the distance learns: heights of a line in pieces over the logarithm of the distance.
template <std::size_t Count>
struct pieces {
  std::array<longspan::learned, Count> height = {};
  longspan::learned operator()(index_t t) const {
    const double x = std::log1p(double(std::abs(t))) * double(Count) / 10;
    const std::size_t piece = std::min(std::size_t(x), Count - 1), next = std::min(piece + 1, Count - 1);
    return height[piece] + (x - double(piece)) * (height[next] - height[piece]);
  }
  auto parameters() {
    return std::apply([](auto&... each) { return std::tie(each...); }, height);
  }
};

// Numbers that a body of one's own learns: a polynomial of the logit.
template <std::size_t Count>
struct polynomial {
  std::array<longspan::learned, Count> weight = {};
  auto operator()(const longspan::query_row&) const {
    return [weight = weight](auto logit, const auto&) {
      std::array<decltype(logit), Count + 1> power = {logit};
      for (std::size_t n = 0; n < Count; ++n) power[n + 1] = 0.25f * logit * power[n];
      return [&]<std::size_t... n>(std::index_sequence<n...>) {
        return (logit + ... + (weight[n] * power[n + 1]));
      }(std::make_index_sequence<Count>{});
    };
  }
  auto parameters() {
    return std::apply([](auto&... each) { return std::tie(each...); }, weight);
  }
};

template <class Mechanism>
void add_learned(const std::string& name, const attention_shape& shape, const Mechanism& mechanism) {
  add("backward/learned/" + name + shape.name(), [=](benchmark::State& state) {
    gradient_tensors<float> tensors(shape);
    tensors.keep(mechanism);
    Mechanism d_mechanism = mechanism;
    const both times =
        run_in_turn(state, [&] { tensors.differentiate(mechanism); }, [&] { tensors.learn(mechanism, d_mechanism); });
    count_backward<float>(state, times.other, shape, causal_pairs(shape));
    state.counters["x without"] = times.ratio();
  });
}

// As few and as many as compile in a minute: the body of 64 numbers is 64 functions of 64 terms.
void add_learned_numbers(const attention_shape& shape) {
  const auto add_by_distance = [&]<std::size_t Count>(std::integral_constant<std::size_t, Count>) {
    add_learned("by_distance/numbers:" + std::to_string(Count), shape,
                dot_product{} | longspan::by_distance{pieces<Count>{}} | causal{});
  };
  const auto add_own_body = [&]<std::size_t Count>(std::integral_constant<std::size_t, Count>) {
    add_learned("own body/numbers:" + std::to_string(Count), shape, dot_product{} | polynomial<Count>{} | causal{});
  };
  const std::integral_constant<std::size_t, 1> one;
  const std::integral_constant<std::size_t, 8> eight;
  add_by_distance(one), add_by_distance(eight), add_by_distance(std::integral_constant<std::size_t, 64>{});
  add_own_body(one), add_own_body(eight);
  add_learned("temperature/numbers:1", shape, dot_product{} | longspan::temperature{1} | causal{});
  add_learned("tau/numbers:1", shape, dot_product{} | scale_invariant{} | causal{});
  const longspan::per_head slopes{.1, .2, .3, .4, .5, .6, .7, .8};
  add_learned("slope of each head/numbers:8", shape, dot_product{} | longspan::alibi{.slopes = slopes} | causal{});
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
  const attention_shape layer{.heads = 8, .keys = 2048};
  add_learned_numbers(layer);
  add_two_threads(layer);
  add_two_threads({.heads = 1, .keys = 8192});
}
