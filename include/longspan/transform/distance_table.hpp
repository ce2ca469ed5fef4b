#pragma once

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
      shift_.set(t, z.shift);
      if constexpr (Scaled) scale_.set(t, z.scale);
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

 private:
  distance_column<T> shift_, scale_;
};

}  // namespace detail

LONGSPAN_NAMESPACE_END
