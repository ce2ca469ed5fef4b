#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <longspan/core/device.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/text.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What lies between a text and the next of its row of the batch, or the end of the tensor, which belongs to no text.
inline interval gap_after(std::span<const text> texts, std::size_t t, interval text::* tokens, index_t end) {
  const bool followed = t + 1 < texts.size() && texts[t + 1].batch == texts[t].batch;
  return {(texts[t].*tokens).last, followed ? (texts[t + 1].*tokens).first : end};
}

// Gives one value to every token of a result that belongs to no text. `tokens` says which of a text are meant: its queries or its keys.
// Where there is none no device is asked for its threads.
template <device D, class S>
void fill_between(const D& d, const view<S>& result, std::span<const text> texts, interval text::* tokens, S value) {
  const index_t heads = result.extent[1], channels = result.extent[3], end = result.extent[2];
  bool any = false;
  for (std::size_t t = 0; t < texts.size(); ++t) any = any || !detail::gap_after(texts, t, tokens, end).empty();
  if (!any) return;
  detail::for_each_item(d, index_t(texts.size()) * heads, [&](index_t, index_t item) {
    const auto t = std::size_t(item / heads);
    const interval run = detail::gap_after(texts, t, tokens, end);
    const auto head = result.head(texts[t].batch, item % heads);
    for (index_t i = run.first; i < run.last; ++i)
      if (head.channel_stride == 1)
        std::fill_n(head.row(i), channels, value);
      else
        for (index_t c = 0; c < channels; ++c) head.row(i)[c * head.channel_stride] = value;
  });
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
