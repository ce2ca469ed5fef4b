#pragma once

#include <cstddef>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include <longspan/core/device.hpp>
#include <longspan/core/text.hpp>
#include <longspan/kernel/attend_texts.hpp>
#include <longspan/kernel/summing_view.hpp>
#include <longspan/softmax/merge.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Where nothing is changed before a pass.
inline constexpr auto as_bound = [](auto, auto summand, const auto&) { return summand; };

// The forward pass of a sum: each summand by itself, and merged with those before it. `bound` is a tuple of buffers, the summands bound to
// each text; prepare(number, buffer, tensors), number being a std::integral_constant, may change one before its pass. The results of the
// call hold those of the summands so far, in memory where they round them; the last merge writes them.
template <device D, class... Each, class Tensors, class Prepare>
void attend_summands(const D& d, std::tuple<Each...> bound, const Tensors& tensors, std::span<const text> texts,
                     Prepare prepare) {
  using T = typename Tensors::words::compute;
  using Output = std::remove_pointer_t<decltype(tensors.output.data)>;
  const auto [batch, heads, queries, channels] = tensors.output.extent;
  const view<T> of_sums{nullptr, {batch, heads, queries, 1}, {}};
  const summing_view<T, Output> output_before(tensors.output);
  const summand_memory<T> sums_before(tensors.keeps_log_sum_exp() ? view<T>{} : of_sums), output(tensors.output), sums(of_sums);
  const part_view<T, T> before{output_before.at(), tensors.keeps_log_sum_exp() ? tensors.log_sum_exp : sums_before.at()},
      one{output.at(), sums.at()};
  const auto summand = [&]<std::size_t N>(std::integral_constant<std::size_t, N> number) {
    const auto& to = N == 0 ? before : one;
    const auto into = tensors.with_results(to.output, to.log_sum_exp);
    detail::attend_texts(d, prepare(number, std::move(std::get<N>(bound)), into), into, texts);
    if constexpr (N > 0 && N + 1 < sizeof...(Each)) detail::write_merged(d, before, before, one);
  };
  [&]<std::size_t... N>(std::index_sequence<N...>) {
    (summand(std::integral_constant<std::size_t, N>{}), ...);
  }(std::index_sequence_for<Each...>{});
  detail::write_merged(d, part_view<Output, T>{tensors.output, tensors.log_sum_exp}, before, one);
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
