#pragma once

#include <memory>
#include <type_traits>
#include <vector>

#include <longspan/core/query_row.hpp>
#include <longspan/simd/multiply_add.hpp>
#include <longspan/transform/reach.hpp>

namespace longspan::inline LONGSPAN_ISA {

// What a function of the distance answers: z = scale s + shift.
struct affine {
  double scale = 1;
  double shift = 0;
  constexpr affine() = default;
  constexpr affine(double a, double m) : scale(a), shift(m) {}
  constexpr affine(double bias) : shift(bias) {}
};

// The table behind by_distance: a and m of every distance, farthest first, so that the keys under a batch find theirs side by side.
// Distances that no row sees hold zeros and are never asked for; `touched` pads the ends for the lanes that a tile cuts away.
template <class T, bool Scaled>
class distance_table {
 public:
  template <class F>
  distance_table(const reach& distances, const F& f) : beyond_(distances.touched.last) {
    auto table = std::make_shared<columns>();
    table->shift.resize(std::size_t(distances.touched.size()));
    if constexpr (Scaled) table->scale.resize(table->shift.size());
    for (index_t t = distances.seen.first; t < distances.seen.last; ++t) {
      const affine z = f(t);
      table->shift[std::size_t(beyond_ - 1 - t)] = T(z.shift);
      if constexpr (Scaled) table->scale[std::size_t(beyond_ - 1 - t)] = T(z.scale);
    }
    table_ = std::move(table);
  }

  auto operator()(const query_row& row) const {
    return [shift = table_->shift.data(), scale = table_->scale.data(), origin = beyond_ - 1 - row.position](const auto& logit,
                                                                                                             const auto& keys) {
      using Batch = std::remove_cvref_t<decltype(keys.lane)>;
      const auto run = origin + keys.first;
      if constexpr (Scaled)
        return simd::multiply_add(logit, simd::load<Batch>(scale + run), simd::load<Batch>(shift + run));
      else
        return logit + simd::load<Batch>(shift + run);
    };
  }

 private:
  struct columns {
    std::vector<T> shift, scale;
  };
  index_t beyond_;
  std::shared_ptr<const columns> table_;
};

}  // namespace longspan::inline LONGSPAN_ISA
