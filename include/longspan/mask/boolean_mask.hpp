#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include <longspan/core/shapes.hpp>
#include <longspan/mask/packed_rows.hpp>
#include <longspan/tensor/broadcast.hpp>
#include <longspan/tensor/traits.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A mask that is a tensor (batch, head, query, key): true, or an 8-bit integer that is not 0, where the query sees the key. An axis of
// extent 1 stands for all, tensors of lower rank miss leading axes: (queries, keys) serves all texts and heads, (batch, 1, 1, keys) hides
// keys from all queries of a text. A tensor, map, matrix or longspan::view of any strides, which must live as long as the mechanism. It is
// packed to bits once per call, on the calling thread, and what is hidden from a whole tile is not computed: it costs what the masks of
// intervals cost and the time to read it once. The call holds a bit for each of its elements. Keys one behind the other are read fastest.
// Of a column-major matrix of Eigen's m(j, i) is key j of query i, as q(c, i) is channel c of token i.
//
// Axes count the queries and keys of the tensors of the call: those of all texts, where texts are packed. Where a call holds a part of the
// keys, the key axis may count all keys of the text instead, and n and the sink are then those of the whole; of a part of the mask, n is
// that of the part, and each part with a key that the row sees counts the sink. Throws shape_error where an axis has another extent than
// the call and than 1.
struct boolean_mask {
  view<const unsigned char> seen;  // the bytes of the tensor

  template <class X>
    requires(!std::derived_from<std::remove_cvref_t<X>, boolean_mask>)
  explicit boolean_mask(X&& tensor) {
    using S = detail::element_of<X>;
    static_assert(
        std::is_integral_v<S> && sizeof(S) == 1,
        "boolean_mask reads bool or 8-bit integers, not 0 where a query sees a key; numbers to add to logits are a bias");
    const view<const S> whole = detail::lasting_view_of(std::forward<X>(tensor));
    seen = {reinterpret_cast<const unsigned char*>(whole.data), whole.extent, whole.stride};
  }

  void check(shapes lengths) const {
    if (counts_all_keys(lengths)) lengths.keys = lengths.all_keys;
    detail::require_broadcast("boolean_mask", seen, lengths);
  }
  void for_each_tensor(auto visit) const { visit("boolean_mask", seen); }
  detail::packed_rows prepare(const shapes& lengths) const {
    return detail::packed_rows(seen, counts_all_keys(lengths) ? lengths.first_key : 0);
  }

 private:
  bool counts_all_keys(const shapes& lengths) const { return seen.extent[3] == lengths.all_keys; }
};

LONGSPAN_NAMESPACE_END
