#pragma once

#include <longspan/core/interval.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The distances t = i - j of one call, each as first <= t < last. A function of the distance is only asked about those that are
// seen.
struct reach {
  interval seen;     // from the smallest to the largest at which some row sees a key
  interval touched;  // those, and all others for which a tile computes logits that the mask then hides
};

LONGSPAN_NAMESPACE_END
