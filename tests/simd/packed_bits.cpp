#include <longspan/simd/packed_bits.hpp>

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace {

using namespace longspan;
using namespace longspan::simd;

TEST(packed_bits, of_eight_bytes_are_the_bytes_that_are_not_zero) {
  for (int pattern = 0; pattern < 256; ++pattern)
    for (const int value : {1, 2, 127, 128, 129, 255}) {
      unsigned char bytes[8];
      for (int b = 0; b < 8; ++b) bytes[b] = static_cast<unsigned char>(pattern >> b & 1 ? value : 0);
      ASSERT_EQ(packed_eight(bytes), std::uint64_t(pattern)) << value;
    }
}

TEST(packed_bits, are_those_of_any_bytes_at_any_stride) {
  std::mt19937 generator(1);
  std::vector<unsigned char> bytes(64 * 5 + 3);
  for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(generator() % 2 == 0 ? 0 : generator());
  for (const index_t stride : {0, 1, 2, 5, -1, -5})
    for (index_t count = 0; count <= 64; ++count)
      for (const index_t offset : {0, 1, 3}) {
        const unsigned char* const from = bytes.data() + offset + (stride < 0 ? -63 * stride : 0);
        std::uint64_t wanted = 0;
        for (index_t b = 0; b < count; ++b)
          if (from[b * stride] != 0) wanted |= std::uint64_t(1) << b;
        ASSERT_EQ(packed_bits(from, stride, count), wanted) << count << " bytes, stride " << stride;
      }
}

}  // namespace
