#include <longspan/mask/first_keys.hpp>

#include <gtest/gtest.h>

#include <limits>

#include "support/masks.hpp"
#include "support/words.hpp"

namespace {

using namespace longspan;
using testing_support::words_of;

static_assert(mask<first_keys>);

TEST(first_keys, are_seen_by_every_query) {
  for (const index_t count : {index_t(0), index_t(1), index_t(5), index_t(100), std::numeric_limits<index_t>::max()})
    testing_support::expect_sees(first_keys{count}, [=](const query_row&, index_t j) { return j < count; });
}

TEST(first_keys, name_what_they_refuse) {
  EXPECT_EQ(words_of([] { first_keys{0}.check({}); }), "");
  EXPECT_EQ(words_of([] { first_keys{-1}.check({}); }), "first_keys: count must be at least 0, not -1");
}

}  // namespace
