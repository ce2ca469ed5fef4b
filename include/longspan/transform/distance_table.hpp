#pragma once

#include <algorithm>
#include <limits>

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/parameter/learned.hpp>
#include <longspan/simd/multiply_add.hpp>
#include <longspan/transform/distance_column.hpp>
#include <longspan/transform/reach.hpp>

LONGSPAN_NAMESPACE_BEGIN

// What a function of the distance returns: z = scale s + shift.
struct affine {
  learned scale = 1.0;
  learned shift = 0.0;
  affine() = default;
  affine(const learned& a, const learned& m) : scale(a), shift(m) {}
  affine(const learned& bias) : shift(bias) {}
  affine(double bias) : shift(bias) {}
};

namespace detail {

// The table of by_distance: scale and shift for each distance of `seen`. f is not called for others.
template <class T, bool Scaled>
class distance_table {
 public:
  template <class F>
  distance_table(const reach& distances, const F& f) : shift_(distances), scale_(Scaled ? distances : reach{}) {
    for (index_t t = distances.seen.first; t < distances.seen.last; ++t) {
      const affine z = f(t);
      shift_.set(t, z.shift.value);
      if constexpr (Scaled) scale_.set(t, z.scale.value);
    }
  }

  auto operator()(const query_row& row) const {
    return [shift = shift_(row), scale = scale_(row)](const auto& logit, const auto& keys) {
      if constexpr (Scaled)
        return simd::multiply_add(logit, scale(keys), shift(keys));
      else
        return logit + shift(keys);
    };
  }

  // Looks at the numbers of every key.
  auto at_most(const query_row& row) const {
    return [shift = shift_(row), scale = scale_(row)](double score, interval keys) {
      constexpr double infinity = std::numeric_limits<double>::infinity();
      double most = -infinity;
      for (index_t j = keys.first; j < keys.last; ++j) {
        double z = score + double(shift.value[shift.origin + j]);
        if constexpr (Scaled) {
          const double a = double(scale.value[scale.origin + j]);
          z = a >= 0 ? a * score + double(shift.value[shift.origin + j]) : infinity;
        }
        most = z <= infinity ? std::max(most, z) : infinity;  // NaN may be anything
      }
      return most;
    };
  }

 private:
  distance_column<T> shift_, scale_;
};

}  // namespace detail

LONGSPAN_NAMESPACE_END
