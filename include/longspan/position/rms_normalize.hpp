#pragma once

#include <cmath>
#include <span>
#include <tuple>

#include <longspan/core/require.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/core/token.hpp>
#include <longspan/parameter/per_channel.hpp>
#include <longspan/simd/row.hpp>

LONGSPAN_NAMESPACE_BEGIN

// RMS normalisation of query and key rows: x / sqrt(mean(x^2) + epsilon), times a learned gain for each channel where one is given, of
// queries and of keys apart, the same for all heads (arXiv 1910.07467; QK-norm). Gemma keeps gain - 1: set 1 + what it keeps; the gradient
// is the same. Scale-invariant attention assumes rows without gain. Throws std::invalid_argument for an epsilon that is negative or not
// finite and for a gain that has not one finite number for each channel.
struct rms_normalize {
  per_channel query_gain = {}, key_gain = {};
  double epsilon = 1e-6;

  template <class T>
  void turn(std::span<T> row, const token& of) const {
    simd::scale(row, factor<T>(row));
    multiply(row, of.is_query() ? query_gain : key_gain);
  }

  // With r = 1/sqrt(mean(x^2) + epsilon), y = r x and h = gain g: r (h - y (y.h)/d). The gain's is the sum of g y.
  template <class T>
  void turn_back(std::span<const T> row, std::span<T> gradient, const token& of, std::span<double> d_gains) const {
    const T r = factor<T>(row);
    const std::size_t first = of.is_query() ? 0 : row.size();
    if (!d_gains.empty())
      for (std::size_t c = 0; c < row.size(); ++c) d_gains[first + c] += double(gradient[c]) * double(r * row[c]);
    multiply(gradient, of.is_query() ? query_gain : key_gain);
    const T along = r * r * simd::dot<T>(row, gradient) / T(row.size());
    simd::scale_and_add(gradient, r, row, -along * r);
  }

  bool operator==(const rms_normalize&) const = default;

  auto parameters() { return std::tie(query_gain, key_gain); }
  auto parameters() const { return std::tie(query_gain, key_gain); }

  void check(const shapes& lengths) const {
    detail::require(epsilon >= 0 && std::isfinite(epsilon), "rms_normalize: epsilon", "at least 0 and finite", epsilon);
    query_gain.check("rms_normalize: query_gain", lengths.channels);
    key_gain.check("rms_normalize: key_gain", lengths.channels);
  }

 private:
  template <class T>
  T factor(std::span<const T> row) const {
    return 1 / std::sqrt(simd::dot<T>(row, row) / T(row.size()) + T(epsilon));
  }
  template <class T>
  static void multiply(std::span<T> row, const per_channel& gain) {
    if (gain.empty()) return;
    const double* const each = gain.begin();
    for (std::size_t c = 0; c < row.size(); ++c) row[c] *= T(each[c]);
  }
};

LONGSPAN_NAMESPACE_END
