#pragma once

#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include <longspan/core/device.hpp>
#include <longspan/core/text.hpp>
#include <longspan/kernel/bound_backward.hpp>
#include <longspan/kernel/summing_view.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/bind_summands.hpp>
#include <longspan/mechanism/parameters_of.hpp>
#include <longspan/tensor/copy_tokens.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The backward pass of a sum: each summand by itself, under the log-sum-exp and the output of the whole; gradients add. `bound` is a tuple
// of what bind_backward makes of the summands. Adds to the lists of their learned numbers, one summand's behind the other's.
template <device D, class... Summands, class... Each, class Tensors>
void differentiate_summands(const D& d, const mechanism<Summands...>& whole, std::tuple<Each...> bound, const Tensors& tensors,
                            std::span<const text> texts, std::span<std::vector<double>> d_parameters) {
  using T = typename Tensors::compute;
  const auto sums_of = []<class S>(const view<S>& gradient) { return summing_view<T, S>(gradient); };
  const auto d_query = sums_of(tensors.d_query), d_key = sums_of(tensors.d_key), d_value = sums_of(tensors.d_value);
  const summand_memory<T> own_d_query(tensors.d_query), own_d_key(tensors.d_key), own_d_value(tensors.d_value);
  const auto sums = tensors.with_gradients(d_query.at(), d_key.at(), d_value.at()),
             own = tensors.with_gradients(own_d_query.at(), own_d_key.at(), own_d_value.at());
  bool first = true;
  detail::for_each_sentence(whole, std::move(bound), [&]<class Summand>(const Summand& summand, auto of_summand) {
    detail::differentiate_sentence(d, summand, std::move(of_summand), first ? sums : own, texts,
                                   detail::take_lists<Summand>(d_parameters));
    if (!std::exchange(first, false))
      detail::add_tokens(d, own.d_query, sums.d_query), detail::add_tokens(d, own.d_key, sums.d_key),
          detail::add_tokens(d, own.d_value, sums.d_value);
  });
  d_query.deliver(d), d_key.deliver(d), d_value.deliver(d);
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
