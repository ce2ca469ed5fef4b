#include <longspan/kernel/keep_seen.hpp>

#include <gtest/gtest.h>

#include <limits>

#include "support/lanes.hpp"

namespace {

using namespace longspan;
using testing_support::batch_of;
using testing_support::lanes_of;

// Every pair of runs over a batch and some, whatever the other lanes hold.
TEST(keep_seen, keeps_the_lanes_that_some_run_holds) {
  using Batch = batch<float>;
  const index_t first = 32, last = first + simd::lanes<Batch>;
  for (index_t a = first - 2; a <= last + 1; ++a)
    for (index_t b = a; b <= last + 2; ++b) {
      const intervals<2> runs{interval{first - 5, a}, {b, last + 1}};
      const auto value = batch_of<Batch>(
          [&](index_t l) { return contains(runs, first + l) ? double(l) : std::numeric_limits<double>::quiet_NaN(); });
      const auto kept = lanes_of(keep_seen(runs, first, value, Batch(-7.f)));
      for (index_t l = 0; l < last - first; ++l)
        EXPECT_EQ(kept[std::size_t(l)], contains(runs, first + l) ? float(l) : -7.f) << a << ' ' << b;
    }
}

}  // namespace
