#pragma once

#include <chrono>
#include <utility>

#include "mechanism.hpp"

namespace pretrained {

inline double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// What a layer keeps of a text, and how long its attention took, that of new keys included.
template <class Past>
struct timed : Past {
  double attention = 0;

  explicit timed(Past past) : Past(std::move(past)) {}
  void append(const team& threads, const view<const float>& k, const view<const float>& v) {
    const double began = seconds();
    Past::append(threads, k, v);
    attention += seconds() - began;
  }
  friend void attend(const team& threads, const sentence& by, const view<const float>& q, timed& past,
                     const view<float>& output) {
    const double began = seconds();
    attend(threads, by, q, static_cast<Past&>(past), output);
    past.attention += seconds() - began;
  }
};

}  // namespace pretrained
