// What a call costs through a mechanism that is chosen at run time: a few such calls and as many of the sentence's own run in turn, on the
// smallest tensors there are, where nothing else takes long, and on a decoded row of 1024 keys. Of each the shortest run counts.
#include <array>
#include <cstdint>
#include <memory>
#include <type_traits>

#include "support/benchmarks.hpp"
#include "support/gradients.hpp"

namespace {

using namespace longspan;

constexpr int calls = 10;
const auto sentence = rope{} | dot_product{} | scale_invariant{} | causal{};

// The nanoseconds that `any` takes more than `plain`, and those of `plain`.
template <class Plain, class Any>
void add_call(const std::string& name, const Plain& plain, const Any& any) {
  add("any_mechanism/" + name, [=](benchmark::State& state) {
    const auto many = [](const auto& call) {
      return [&] {
        for (int n = 0; n < calls; ++n) call();
      };
    };
    const both times = run_in_turn(state, many(plain), many(any));
    state.counters["ns of the sentence's"] = times.base.best() / calls * 1e9;
    state.counters["ns more"] = (times.other.best() - times.base.best()) / calls * 1e9;
  });
}

void add_calls(const std::string& name, const attention_shape& shape) {
  using pages = paged<float>;
  static const any_mechanism<float> any = make_any<float, float, pages>(sentence);
  const auto tensors = std::make_shared<gradient_tensors<float>>(shape);
  tensors->keep(sentence);
  add_call("forward" + name, [=] { tensors->attend(sentence); }, [=] { tensors->attend(any); });

  const cache_shape of{.key_heads = shape.key_heads, .channels = shape.channels, .value_channels = shape.value_channels};
  const auto cache = std::make_shared<kv_cache<float>>(sentence, of);
  const auto any_kept = std::make_shared<any_cache<float>>(any, of);
  cache->append(tensors->k, tensors->v), any_kept->append(tensors->k, tensors->v);
  add_call(
      "cache" + name, [=] { forward_into(sentence, tensors->q, *cache, tensors->output); },
      [=] { forward_into(any, tensors->q, *any_kept, tensors->output); });

  // One page holds the text.
  const auto page = [&](tensor<float>& t) { return view<const float>(detail::view_of(t)); };
  static constexpr std::array<std::int32_t, 1> table{0};
  const auto lengths = std::make_shared<std::array<index_t, 1>>(std::array{shape.keys});
  const pages of_text{page(tensors->k), page(tensors->v), table, *lengths};
  add_call(
      "pages" + name, [=, kept = lengths] { forward_into(sentence, tensors->q, of_text, tensors->output); },
      [=, kept = lengths] { forward_into(any, tensors->q, of_text, tensors->output); });

  add_call("backward" + name, [=] { tensors->differentiate(sentence); }, [=] { tensors->differentiate(any); });
  const auto d_sentence = std::make_shared<std::remove_const_t<decltype(sentence)>>(sentence);
  add_call(
      "backward_with_parameters" + name, [=] { tensors->learn(sentence, *d_sentence); },
      [=, d_any = std::make_shared<any_mechanism<float>>(any)] { tensors->learn(any, *d_any); });
}

}  // namespace

void add_benchmarks() {
  add_calls("/smallest", {.heads = 2, .keys = 4, .queries = 1});
  add_calls("/decoding", {.heads = 8, .key_heads = 2, .keys = 1024, .queries = 1});
}
