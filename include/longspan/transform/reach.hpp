#pragma once

#include <longspan/core/interval.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The distances t = i - j of one call, each as first <= t < last, and for how many heads tables are made. A function of the distance is
// only asked about those that are seen.
struct reach {
  interval seen;     // from the smallest to the largest at which some row sees a key
  interval touched;  // those, and all others for which a tile computes logits that the mask then hides
  index_t heads = 1;

  bool operator==(const reach&) const = default;
};

LONGSPAN_NAMESPACE_END
