#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/position/ladder.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The ways to rescale RoPE's frequencies for texts longer than the trained length. Each is called as scaling(ladder, base, channels), with
// the channels that turn, and rewrites the frequencies w in place; `factor` is length / trained unless said, `trained` is in tokens.

namespace detail {

// PI: all frequencies divided by the factor.
struct interpolation {
  double factor;

  void operator()(ladder& rungs, double, index_t) const {
    for (double& w : rungs.frequencies) w /= factor;
  }
  void check(const shapes&) const { require_positive("rope: factor", factor); }

  bool operator==(const interpolation&) const = default;
};

// NTK-aware: the ladder of a larger base.
struct ntk_aware {
  double factor;

  void operator()(ladder& rungs, double base, index_t channels) const {
    const double d = double(channels);
    rungs.frequencies = geometric(base * std::pow(factor, d / (d - 2)), channels, rungs.pairing).frequencies;
  }
  void check(const shapes& lengths) const {
    require_positive("rope: factor", factor);
    require(lengths.channels > 2, "rope: channels for NTK", "more than 2", lengths.channels);
  }

  bool operator==(const ntk_aware&) const = default;
};

}  // namespace detail

// YaRN (arXiv 2309.00071): pairs that turn slowly are interpolated, fast ones are kept, those in between are blended; queries and
// keys grow by 0.1 log(factor) + 1. gpt-oss: {.factor = 32, .trained = 4096, .ramp_over_index = true, .truncate = false}, base 150000.
struct yarn_scaling {
  double factor;
  index_t trained;
  double slow = 1, fast = 32;    // turns within the trained length: fewer than `slow` is interpolated, more than `fast` kept
  bool ramp_over_index = false;  // the released code ramps linearly in i; the paper in the number of turns
  bool truncate = true;          // the ends of the ramp over i are rounded outwards, to whole pairs
  std::optional<double> magnitude = {};  // what queries and keys grow by, if another: the attention factor of configuration files

  // How much of w is kept, 0 to 1.
  double kept(std::size_t i, double w, double base, index_t channels) const {
    const double length = double(trained), full = 2 * std::numbers::pi;
    if (!ramp_over_index) return std::clamp((length * w / full - slow) / (fast - slow), 0.0, 1.0);
    const auto pair_with = [&](double turns) {
      return double(channels) * std::log(length / (full * turns)) / (2 * std::log(base));
    };
    double low = pair_with(fast), high = pair_with(slow);
    if (truncate) low = std::floor(low), high = std::ceil(high);
    low = std::max(low, 0.0), high = std::min(high, double(channels - 1));
    return 1 - std::clamp((double(i) - low) / std::max(high - low, 0.001), 0.0, 1.0);
  }

  void operator()(ladder& rungs, double base, index_t channels) const {
    for (std::size_t i = 0; i < rungs.frequencies.size(); ++i) {
      double& w = rungs.frequencies[i];
      const double keep = kept(i, w, base, channels);
      w = (1 - keep) * w / factor + keep * w;
    }
    rungs.magnitude = magnitude.value_or(factor > 1 ? 0.1 * std::log(factor) + 1 : 1);  // its square on the logits
  }
  void check(const shapes&) const {
    detail::require_positive("rope: factor", factor);
    detail::require_trained("rope: trained", trained);
    detail::require(slow > 0 && fast > slow, "rope: fast turns of YaRN", "more than the slow ones, which are positive", fast);
    if (magnitude) detail::require_positive("rope: magnitude of YaRN", *magnitude);
  }

  bool operator==(const yarn_scaling&) const = default;
};

// Llama 3.1: pairs that turn fewer than `low` times within the trained length are interpolated, those that turn more than `high`
// times are kept, those in between are blended.
struct llama3_scaling {
  double factor = 8, low = 1, high = 4;
  index_t trained = 8192;

  void operator()(ladder& rungs, double, index_t) const {
    for (double& w : rungs.frequencies) {
      const double turns = double(trained) * w / (2 * std::numbers::pi);  // trained / wavelength
      const double keep = std::clamp((turns - low) / (high - low), 0.0, 1.0);
      w = (1 - keep) * w / factor + keep * w;
    }
  }
  void check(const shapes&) const {
    detail::require_positive("rope: factor", factor);
    detail::require_trained("rope: trained", trained);
    detail::require(low > 0 && high > low, "rope: high of Llama 3", "more than low, which is positive", high);
  }

  bool operator==(const llama3_scaling&) const = default;
};

// LongRoPE (arXiv 2402.13753): each frequency divided by a number that was searched for it; queries and keys grow by
// sqrt(1 + log(factor) / log(trained)).
struct longrope_scaling {
  std::vector<double> divisors;  // lambda_i, one a pair
  double factor;
  index_t trained;
  std::optional<double> magnitude = {};  // what queries and keys grow by, if another

  void operator()(ladder& rungs, double, index_t) const {
    for (std::size_t i = 0; i < rungs.frequencies.size(); ++i) rungs.frequencies[i] /= divisors[i];
    rungs.magnitude = magnitude.value_or(factor > 1 ? std::sqrt(1 + std::log(factor) / std::log(double(trained))) : 1);
  }
  void check(const shapes& lengths) const {
    detail::require_positive("rope: factor", factor);
    detail::require_trained("rope: trained", trained);
    if (index_t(divisors.size()) != lengths.channels / 2)
      throw std::invalid_argument("rope: LongRoPE has a divisor for each pair of channels: " + std::to_string(divisors.size()) +
                                  " and " + std::to_string(lengths.channels / 2));
    if (magnitude) detail::require_positive("rope: magnitude of LongRoPE", *magnitude);
    for (const double lambda : divisors) detail::require_positive("rope: divisor of LongRoPE", lambda);
  }

  bool operator==(const longrope_scaling&) const = default;
};

LONGSPAN_NAMESPACE_END
