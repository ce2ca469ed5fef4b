#pragma once

#include <gtest/gtest.h>

#include <longspan/mask/concept.hpp>

namespace testing_support {

// On a small grid, also of rows before and beyond the keys: a row sees the existing keys j for which sees(row, j), none twice.
template <class Mask, class Sees>
void expect_sees(const Mask& m, Sees sees) {
  using namespace longspan;
  using namespace longspan::detail;
  for (const index_t keys : {0, 1, 7, 12})
    for (index_t position = -6; position < 19; ++position) {
      const query_row row{.position = position, .keys = keys};
      const auto runs = visible(m, row);
      index_t wanted = 0;
      for (index_t j = -9; j < 25; ++j) {
        const bool seen = 0 <= j && j < keys && sees(row, j);
        EXPECT_EQ(contains(runs, j), seen) << "position " << position << " of " << keys << ", key " << j;
        wanted += seen;
      }
      EXPECT_EQ(runs.count(), wanted) << "position " << position << " of " << keys;
    }
}

}  // namespace testing_support
