#pragma once

#include <functional>
#include <limits>
#include <span>
#include <utility>

#include <longspan/core/device.hpp>
#include <longspan/core/text.hpp>
#include <longspan/kernel/bound_text.hpp>
#include <longspan/kernel/decode.hpp>
#include <longspan/kernel/prefill.hpp>
#include <longspan/tensor/fill_between.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The forward pass of texts, each with its mechanism: their own rows of the results are written. Texts with few query rows are decoded,
// others prefilled; a row has the same bits either way.
template <device D, class Mechanism, class Tensors>
void attend_rows(const D& d, buffer<Mechanism> each, const Tensors& tensors) {
  const auto few_rows = [](const Mechanism& mechanism) { return detail::decodes<typename Tensors::words>(mechanism.lengths); };
  const auto prefilled = detail::bound_texts(each, tensors, std::not_fn(few_rows));
  const auto decoded = detail::bound_texts(each, tensors, few_rows);
  detail::prefill(d, std::span(prefilled));
  detail::decode(d, std::span(decoded));
}

// The same for all results: rows that belong to no text see nothing.
template <device D, class Mechanism, class Tensors>
void attend_texts(const D& d, buffer<Mechanism> each, const Tensors& tensors, std::span<const text> texts) {
  using T = typename Tensors::words::compute;
  detail::fill_between(d, tensors.output, texts, &text::queries, {});
  detail::fill_between(d, tensors.log_sum_exp, texts, &text::queries, -std::numeric_limits<T>::infinity());
  detail::attend_rows(d, std::move(each), tensors);
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
