#include <longspan/mask/causal.hpp>

#include <gtest/gtest.h>

#include "support/masks.hpp"

namespace {

using namespace longspan;

static_assert(mask<causal>);

TEST(causal, sees_itself_and_what_stands_before) {
  testing_support::expect_sees(causal{}, [](const query_row& row, index_t j) { return j <= row.position; });
}

}  // namespace
