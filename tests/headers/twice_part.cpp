#include "twice.hpp"

#include <stdexcept>
#include <string_view>

#include <longspan/longspan.hpp>

#define NAME_OF(part) #part
#define NAME(part) NAME_OF(part)

// Plain memory throughout: Eigen's own allocator differs between instruction sets under one name, and is not the subject here.
answers PART(const std::vector<float>& input) {
  using namespace longspan;
  const index_t heads = 2, tokens = 70, channels = 24;
  const auto heads_of = [&](auto* data, index_t count) {
    return view<std::remove_pointer_t<decltype(data)>>{.data = data,
                                                       .extent = {1, count, tokens, channels},
                                                       .stride = {count * tokens * channels, tokens * channels, channels, 1}};
  };
  const auto q = heads_of(input.data(), heads), k = heads_of(input.data() + 500, 1), v = heads_of(input.data() + 1000, 1);
  answers result{NAME(PART), std::vector<float>(std::size_t(heads * tokens * channels)),
                 std::vector<float>(std::size_t(heads * tokens)), false};

  const auto mechanism = rope{} | dot_product{} | scale_invariant{} | softcap{30} | causal{};
  const view<float> log_sum_exp{
      .data = result.log_sum_exp.data(), .extent = {1, heads, tokens, 1}, .stride = {heads * tokens, tokens, 1, 1}};
  forward_into(mechanism, q, k, v, heads_of(result.output.data(), heads), log_sum_exp);

  auto wrong = v;
  wrong.extent[2] = tokens - 1;
  try {
    forward_into(mechanism, q, k, wrong, heads_of(result.output.data(), heads));
  } catch (const std::invalid_argument& error) {
    result.refuses = std::string_view(error.what()) == "key and value differ in tokens: 70 and 69";
  }
  return result;
}
