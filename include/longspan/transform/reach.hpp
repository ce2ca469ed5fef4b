#pragma once

#include <longspan/core/interval.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The distances t = i - j of one call: those that some row sees, nearest <= t < beyond, and how far past them the lanes of a tile may
// look without being seen. A function of the distance is only ever asked about the first.
struct reach {
  interval seen;
  interval touched;
};

LONGSPAN_NAMESPACE_END
