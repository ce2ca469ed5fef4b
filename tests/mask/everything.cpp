#include <longspan/mask/everything.hpp>

#include <gtest/gtest.h>

#include "support/masks.hpp"

namespace {

using namespace longspan;

static_assert(mask<everything>);

TEST(everything, sees_every_key_from_any_position) {
  testing_support::expect_sees(everything{}, [](const query_row&, index_t) { return true; });
}

}  // namespace
