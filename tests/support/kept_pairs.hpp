#pragma once

#include <longspan/longspan.hpp>

#include "tensors.hpp"

namespace testing_support {

// Of the pairs of a query and a key that the masks of a mechanism show, how many a forward pass attends to.
struct kept_pairs {
  double kept = 0, shown = 0;

  template <class Mechanism, class T>
  kept_pairs(const Mechanism& mechanism, const inputs<T>& in, const longspan::placement& where = {}) {
    using namespace longspan::detail;
    tensor<T> output(in.q.dimension(0), in.q.dimension(1), in.q.dimension(2), in.v.dimension(3));
    const auto tensors = make_forward_tensors(in.q, in.k, in.v, output);
    const batch_of_texts batch(tensors.query, tensors.key, tensors.value, where);
    using Sum = compute_t<T>;
    for (const auto& text : without_negligible(this_thread{}, mechanism,
                                               longspan::detail::bind<Sum>(mechanism, batch.lengths, batch.texts, 512), tensors))
      for (longspan::index_t h = 0; h < text.lengths.heads; ++h)
        for (longspan::index_t i = 0; i < text.lengths.queries; ++i)
          kept += double(text.seen->keys_of(h, i).count()), shown += double(text.seen->count(h, i));
  }
  double share() const { return kept / shown; }
};

}  // namespace testing_support
