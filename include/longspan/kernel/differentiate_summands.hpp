#pragma once

#include <cstddef>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <longspan/core/device.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/core/text.hpp>
#include <longspan/kernel/bound_backward.hpp>
#include <longspan/kernel/summing_view.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/tensor/copy_tokens.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The backward pass of a sum: each summand by itself, under the log-sum-exp and the output of the whole; gradients add. `bound` is a tuple
// of what bind_backward makes of the summands. Appends the lists of their learned numbers to d_parameters.
template <bool Learning, device D, class... Summands, class... Each, class Tensors>
void differentiate_summands(const D& d, const mechanism<Summands...>& whole, const shapes& lengths, std::tuple<Each...> bound,
                            const Tensors& tensors, std::span<const text> texts, std::vector<std::vector<double>>& d_parameters) {
  using T = typename Tensors::compute;
  const auto sums_of = []<class S>(const view<S>& gradient) { return summing_view<T, S>(gradient); };
  const auto d_query = sums_of(tensors.d_query), d_key = sums_of(tensors.d_key), d_value = sums_of(tensors.d_value);
  const summand_memory<T> own_d_query(tensors.d_query), own_d_key(tensors.d_key), own_d_value(tensors.d_value);
  const auto sums = tensors.with_gradients(d_query.at(), d_key.at(), d_value.at()),
             own = tensors.with_gradients(own_d_query.at(), own_d_key.at(), own_d_value.at());
  const auto summand = [&]<std::size_t N>(std::integral_constant<std::size_t, N>) {
    const auto& sentence = std::get<N>(whole.parts);
    auto derivatives = detail::no_derivatives<Learning>(sentence, lengths);
    detail::differentiate_sentence(d, sentence, std::move(std::get<N>(bound)), N == 0 ? sums : own, texts, derivatives);
    for (auto& list : derivatives) d_parameters.push_back(std::move(list));
    if constexpr (N > 0)
      detail::add_tokens(d, own.d_query, sums.d_query), detail::add_tokens(d, own.d_key, sums.d_key),
          detail::add_tokens(d, own.d_value, sums.d_value);
  };
  [&]<std::size_t... N>(std::index_sequence<N...>) {
    (summand(std::integral_constant<std::size_t, N>{}), ...);
  }(std::index_sequence_for<Each...>{});
  d_query.deliver(d), d_key.deliver(d), d_value.deliver(d);
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
