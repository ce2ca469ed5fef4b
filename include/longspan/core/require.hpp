#pragma once

#include <cmath>
#include <sstream>
#include <stdexcept>

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Throws std::invalid_argument for a parameter of a part that is out of its range: "scale_invariant: tau must be positive and
// finite, not 0".
template <class Number>
void require(bool holds, const char* field, const char* rule, Number value) {
  if (holds) return;
  std::ostringstream message;
  message << field << " must be " << rule << ", not " << value;
  throw std::invalid_argument(message.str());
}

inline void require_positive(const char* field, double value) {
  require(value > 0 && std::isfinite(value), field, "positive and finite", value);
}

inline void require_finite(const char* field, double value) { require(std::isfinite(value), field, "finite", value); }

inline void require_trained(const char* field, index_t trained) {
  require(trained >= 2, field, "a length of at least 2", trained);
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
