// What data under the logits costs: each in turn with plain causal attention. "beyond reading" is what it takes above plain and above the time
// to read once from memory what rows see of the data: at most 0.12 is wanted forward, for one (1, 1, n, n) bias.
#include "support/benchmarks.hpp"
#include "support/gradients.hpp"

namespace {

using namespace longspan;

template <class S>
tensor<S> small_numbers(index_t heads, index_t queries, index_t keys) {
  tensor<S> made(1, heads, queries, keys);
  const std::vector<float>& numbers = normal_numbers();
  for (Eigen::Index i = 0; i < made.size(); ++i) made.data()[i] = S(0.1f * numbers[std::size_t(i) % numbers.size()]);
  return made;
}

const attention_shape one{.keys = 4096}, eight{.heads = 8, .keys = 4096};

// Of the lower half of an (n, n) tensor.
template <class S>
double seconds_to_read(const attention_shape& shape) {
  return causal_pairs(shape) * double(sizeof(S)) / roofline::bandwidth();
}

void count_cost(benchmark::State& state, const both& times, double reading) {
  state.counters["x plain"] = times.ratio();
  state.counters["reading"] = reading / times.base.best();
  state.counters["beyond reading"] = times.other.best() / (times.base.best() + reading) - 1;
}

template <class Mechanism>
void compare_forward(benchmark::State& state, const attention_shape& shape, const Mechanism& mechanism, double reading) {
  attention_tensors<float> tensors(shape);
  const both times = run_in_turn(state, [&] { tensors.attend(dot_product{} | causal{}); }, [&] { tensors.attend(mechanism); });
  count<float>(state, times.other, shape, causal_pairs(shape));
  count_cost(state, times, reading);
}

template <class Mechanism>
void compare_backward(benchmark::State& state, const attention_shape& shape, const Mechanism& mechanism, double reading) {
  gradient_tensors<float> plain(shape), other(shape);
  plain.keep(dot_product{} | causal{}), other.keep(mechanism);
  const both times =
      run_in_turn(state, [&] { plain.differentiate(dot_product{} | causal{}); }, [&] { other.differentiate(mechanism); });
  count_backward<float>(state, times.other, shape, causal_pairs(shape));
  count_cost(state, times, reading);
}

template <class S>
void add_square(const attention_shape& shape) {
  const std::string name = name_of<S>() + shape.name();
  add("bias/forward/" + name, [=](benchmark::State& state) {
    const auto numbers = small_numbers<S>(1, shape.queries, shape.keys);
    compare_forward(state, shape, dot_product{} | bias{numbers} | causal{}, seconds_to_read<S>(shape));
  });
  add("bias/backward/" + name, [=](benchmark::State& state) {
    const auto numbers = small_numbers<S>(1, shape.queries, shape.keys);
    compare_backward(state, shape, dot_product{} | bias{numbers} | causal{}, seconds_to_read<S>(shape));
  });
  // Its gradient is set to 0, read and written.
  add("bias/gradient/" + name, [=](benchmark::State& state) {
    const auto numbers = small_numbers<S>(1, shape.queries, shape.keys);
    tensor<S> gradient(1, 1, shape.queries, shape.keys);
    compare_backward(state, shape, dot_product{} | bias{numbers, gradient} | causal{}, seconds_to_read<S>(shape));
  });
}

// Learned numbers by distance, whose gradient is summed along diagonals: by T5's buckets, and a number for every distance.
template <class Bucket>
void add_by_distance(const std::string& name, index_t buckets, const attention_shape& shape, Bucket bucket) {
  add("relative_bias/" + name + "/forward" + shape.name(), [=](benchmark::State& state) {
    const auto numbers = small_numbers<float>(1, shape.heads, buckets);
    compare_forward(state, shape, dot_product{} | relative_bias{numbers, bucket} | causal{}, 0);
  });
  add("relative_bias/" + name + "/gradient" + shape.name(), [=](benchmark::State& state) {
    auto numbers = small_numbers<float>(1, shape.heads, buckets), gradient = numbers;
    compare_backward(state, shape, dot_product{} | relative_bias{numbers, bucket, gradient} | causal{}, 0);
  });
}

// A number for each key, and for each token: nothing to read.
void add_by_token(const attention_shape& shape) {
  add("bias/forward/by_key" + shape.name(), [=](benchmark::State& state) {
    const auto numbers = small_numbers<float>(shape.heads, 1, shape.keys);
    compare_forward(state, shape, dot_product{} | bias{numbers} | causal{}, 0);
  });
  add("bias/gradient/by_key" + shape.name(), [=](benchmark::State& state) {
    auto numbers = small_numbers<float>(shape.heads, 1, shape.keys), gradient = numbers;
    compare_backward(state, shape, dot_product{} | bias{numbers, gradient} | causal{}, 0);
  });
  add("forgetting/forward" + shape.name(), [=](benchmark::State& state) {
    const Eigen::Tensor<float, 2, Eigen::RowMajor> c =
        small_numbers<float>(shape.heads, 1, shape.keys).reshape(Eigen::array<index_t, 2>{shape.heads, shape.keys});
    compare_forward(state, shape, dot_product{} | forgetting{c} | causal{}, 0);
  });
  add("forgetting/gradient" + shape.name(), [=](benchmark::State& state) {
    Eigen::Tensor<float, 2, Eigen::RowMajor> c(shape.heads, shape.keys), gradient(shape.heads, shape.keys);
    c.setZero();
    compare_backward(state, shape, dot_product{} | forgetting{c, gradient} | causal{}, 0);
  });
}

}  // namespace

void add_benchmarks() {
  add_square<float>(one), add_square<float>(eight);
  add_square<Eigen::bfloat16>(one), add_square<Eigen::half>(one);
  add_by_token(one);
  add_by_distance("t5", 32, one, t5_buckets{});
  add_by_distance("every distance", one.keys, one, [](index_t t) { return t; });
}
