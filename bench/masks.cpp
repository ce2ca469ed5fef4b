// What a mask costs that is a tensor: beside the mask of intervals that says the same, on the same tensors.
#include "support/benchmarks.hpp"

namespace {

using namespace longspan;

// A row sees the block of tokens that holds it.
struct blocks {
  static constexpr bool by_position_alone = true;
  index_t tokens;
  interval operator()(const query_row& row) const {
    return {row.position / tokens * tokens, (row.position / tokens + 1) * tokens};
  }
};
template <index_t tokens>
double block_pairs(const attention_shape& s) {
  return double(s.queries) * double(tokens);
}

// One for all heads, of an element for each query and key. Beside the cost of the whole: that of reading its bytes once from memory.
template <class Mask>
void add_mask(const std::string& name, const attention_shape& shape, const Mask& intervals,
              double (*pairs)(const attention_shape&)) {
  add("masks/" + name + shape.name(), [=](benchmark::State& state) {
    attention_tensors<float> tensors(shape);
    Eigen::Tensor<bool, 2, Eigen::RowMajor> seen(shape.queries, shape.keys);
    for (index_t i = 0; i < shape.queries; ++i)
      for (index_t j = 0; j < shape.keys; ++j) seen(i, j) = intervals({.position = i, .keys = shape.keys}).contains(j);
    const both times = run_in_turn(
        state, [&] { tensors.attend(dot_product{} | intervals); }, [&] { tensors.attend(dot_product{} | boolean_mask{seen}); });
    count<float>(state, times.other, shape, pairs(shape));
    state.counters["cost"] = times.ratio() - 1;
    state.counters["of it reading"] = double(seen.size()) / roofline::bandwidth() / times.base.best();
  });
}

}  // namespace

void add_benchmarks() {
  for (const index_t heads : {1, 8}) {
    add_mask("causal", {.heads = heads, .keys = 4096}, causal{}, causal_pairs);
    add_mask("blocks:256", {.heads = heads, .keys = 4096}, blocks{256}, block_pairs<256>);
  }
}
