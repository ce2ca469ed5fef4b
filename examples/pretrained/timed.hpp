#pragma once

#include <utility>

#include "../model/seconds.hpp"
#include "mechanism.hpp"

namespace pretrained {

// What a layer keeps of a text, and how long its attention took, that of new keys included.
template <class Past>
struct timed : Past {
  double attention = 0;

  explicit timed(Past past) : Past(std::move(past)) {}
  void append(const team& threads, const view<const float>& k, const view<const float>& v) {
    const double began = model::seconds();
    Past::append(threads, k, v);
    attention += model::seconds() - began;
  }
  friend void attend(const team& threads, const sentence& by, const view<const float>& q, timed& past,
                     const view<float>& output) {
    const double began = model::seconds();
    attend(threads, by, q, static_cast<Past&>(past), output);
    past.attention += model::seconds() - began;
  }
};

}  // namespace pretrained
