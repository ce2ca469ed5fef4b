#include <longspan/version.hpp>

#include <gtest/gtest.h>

// The preprocessor compares versions.
#if LONGSPAN_VERSION < 100 || LONGSPAN_VERSION >= 1000000
#error "no version of this library"
#endif

namespace {

TEST(version, counts_each_part_in_two_digits) {
  EXPECT_EQ(LONGSPAN_VERSION / 10000, LONGSPAN_VERSION_MAJOR);
  EXPECT_EQ(LONGSPAN_VERSION / 100 % 100, LONGSPAN_VERSION_MINOR);
  EXPECT_EQ(LONGSPAN_VERSION % 100, LONGSPAN_VERSION_PATCH);
}

}  // namespace
