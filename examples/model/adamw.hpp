#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

#include "matrix.hpp"

namespace model {

// AdamW (arXiv 1711.05101) after clipping the gradient to norm 1. The rate rises for the first `warmup` steps and then falls to a tenth
// of its peak, as half a wave of the cosine.
struct adamw {
  double peak = 2e-3, decay = 0.1, warmup = 100;
  static constexpr float first_decay = 0.9f, second_decay = 0.98f, tiny = 1e-8f;

  struct state {
    Vector parameters, first, second;
    Index step = 0;
  };

  double rate(Index step, Index steps) const {
    const double done = std::clamp((double(step) - warmup) / std::max(double(steps) - warmup, 1.0), 0.0, 1.0);
    return peak * std::min(1.0, double(step + 1) / warmup) * (0.55 + 0.45 * std::cos(std::numbers::pi * done));
  }

  // `decayed` is one for the parameters that decay.
  void operator()(state& of, const Vector& gradients, const Vector& decayed, Index steps) const {
    const double now = rate(of.step++, steps);
    const float shrink = 1 / std::max(1.f, gradients.norm());
    of.first += (1 - first_decay) * (shrink * gradients - of.first);
    of.second.array() += (1 - second_decay) * ((shrink * gradients).array().square() - of.second.array());
    const float first_whole = 1 - std::pow(first_decay, float(of.step)),
                second_whole = 1 - std::pow(second_decay, float(of.step));
    of.parameters.array() *= 1 - float(now * decay) * decayed.array();
    of.parameters.array() -= float(now) / first_whole * of.first.array() / ((of.second.array() / second_whole).sqrt() + tiny);
  }
};

}  // namespace model
