// Every float there is.
#include <longspan/simd/exp2.hpp>
#include <longspan/simd/lanes.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <limits>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace longspan;
using namespace longspan::detail;
using Batch = batch<float>;
constexpr index_t lanes = simd::lanes<Batch>;
constexpr float smallest = std::numeric_limits<float>::min();

// The distance from the exact value in units of the last place of a normal float.
double ulps(float got, double exact) { return std::abs(double(got) - exact) / std::ldexp(1.0, std::ilogb(exact) - 23); }

struct findings {
  double worst = 0;  // where 2^x is normal
  float at = 0;
  std::int64_t wrong_below = 0;  // below the normal numbers: neither 0 nor less than the smallest of them
  std::int64_t wrong_nan = 0;
};

findings search(std::uint64_t first, std::uint64_t last) {
  findings found;
  for (std::uint64_t bits = first; bits < last; bits += std::uint64_t(lanes)) {
    float x[lanes], y[lanes];
    for (index_t l = 0; l < lanes; ++l) x[l] = std::bit_cast<float>(std::uint32_t(bits + std::uint64_t(l)));
    simd::store(y, simd::exp2(simd::load<Batch>(x)));
    for (index_t l = 0; l < lanes; ++l) {
      if (std::isnan(x[l])) {
        found.wrong_nan += !std::isnan(y[l]);
      } else if (x[l] < -126) {
        found.wrong_below += !(y[l] >= 0 && y[l] <= smallest);
      } else if (x[l] <= 127) {
        const double error = ulps(y[l], std::exp2(double(x[l])));
        if (!(error <= found.worst)) found.worst = error, found.at = x[l];
      }
    }
  }
  return found;
}

TEST(exp2_of_every_float, is_within_2_1_units_of_the_last_place) {
  const unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  const std::uint64_t all = std::uint64_t(1) << 32, share = all / threads / 64 * 64;
  std::vector<findings> parts(threads);
  std::vector<std::thread> searching;
  for (unsigned t = 0; t < threads; ++t)
    searching.emplace_back([&, t] { parts[t] = search(t * share, t + 1 == threads ? all : (t + 1) * share); });
  for (std::thread& each : searching) each.join();
  findings found;
  for (const findings& part : parts) {
    if (!(part.worst <= found.worst)) found.worst = part.worst, found.at = part.at;
    found.wrong_below += part.wrong_below, found.wrong_nan += part.wrong_nan;
  }
  std::cout << "worst error " << found.worst << " ulp, at " << found.at << '\n';
  RecordProperty("worst_error_in_ulp", std::to_string(found.worst));
  EXPECT_LT(found.worst, 2.1);
  EXPECT_EQ(found.wrong_below, 0);
  EXPECT_EQ(found.wrong_nan, 0);
}

TEST(exp2_of_special_values, is_exact) {
  const auto of = [](float x) { return simd::first_lane(simd::exp2(Batch(x))); };
  EXPECT_EQ(of(-std::numeric_limits<float>::infinity()), 0);
  EXPECT_TRUE(std::isnan(of(std::numeric_limits<float>::quiet_NaN())));
  for (int power = -126; power <= 127; ++power) EXPECT_EQ(of(float(power)), std::ldexp(1.f, power));
}

}  // namespace
