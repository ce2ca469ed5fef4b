#include <longspan/mask/packed_rows.hpp>

#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <random>
#include <vector>

namespace {

using namespace longspan;
using namespace longspan::detail;

static_assert(key_set<packed_row>);

// Bytes along four axes, whose extents and order in memory vary. Some rows see all, none, one stretch, or what comes.
struct bytes_of {
  std::vector<unsigned char> bytes;
  view<const unsigned char> seen;

  bytes_of(const std::array<index_t, 4>& extent, const std::array<int, 4>& slowest_first, index_t gap, unsigned seed) {
    seen.extent = extent;
    index_t stride = gap;
    for (int a = 3; a >= 0; --a) {
      const std::size_t axis = std::size_t(slowest_first[std::size_t(a)]);
      seen.stride[axis] = stride, stride *= extent[axis];
    }
    bytes.resize(std::size_t(stride));
    seen.data = bytes.data();
    std::mt19937 generator(seed);
    const auto below = [&](index_t bound) { return index_t(generator() % unsigned(bound)); };
    for (index_t b = 0; b < extent[0]; ++b)
      for (index_t h = 0; h < extent[1]; ++h)
        for (index_t i = 0; i < extent[2]; ++i) {
          const index_t kind = below(5), first = below(extent[3]), last = first + below(extent[3] - first + 1);
          for (index_t j = 0; j < extent[3]; ++j) {
            const bool in = kind == 0 || (kind == 2 && first <= j && j < last) || (kind > 2 && below(kind == 3 ? 2 : 40) == 0);
            bytes[std::size_t(at(b, h, i, j))] = static_cast<unsigned char>(in ? 1 + below(255) : 0);
          }
        }
  }
  index_t at(index_t b, index_t h, index_t i, index_t j) const {
    return b * seen.stride[0] + h * seen.stride[1] + i * seen.stride[2] + j * seen.stride[3];
  }
  bool sees(const query_row& row, index_t j) const {
    const auto along = [&](std::size_t axis, index_t index) { return seen.extent[axis] == 1 ? 0 : index; };
    if (seen.extent[3] != 1 && (row.key(j) < 0 || row.key(j) >= seen.extent[3])) return false;
    return seen.data[at(along(0, row.batch), along(1, row.head), along(2, row.query), along(3, row.key(j)))] != 0;
  }
};

// hull(), count() and bits() of one row, from every key that may be asked for.
void expect_row(const bytes_of& mask, const packed_row& got, const query_row& row) {
  index_t count = 0;
  interval all;
  for (index_t j = 0; j < row.keys; ++j)
    if (mask.sees(row, j)) all = hull(all, {j, j + 1}), ++count;
  ASSERT_EQ(got.hull(), all.hull());
  ASSERT_EQ(got.count(), count);
  for (index_t key = std::max<index_t>(0, all.first - 63); key < all.last; ++key) {
    const std::uint64_t bits = got.bits(key);
    for (index_t b = 0; b < 64; ++b)
      ASSERT_EQ((bits >> b & 1) != 0, key + b < row.keys && mask.sees(row, key + b)) << "key " << key << " + " << b;
  }
}

TEST(packed_rows, see_what_the_bytes_say) {
  unsigned seed = 1;
  for (const auto& order : {std::array{0, 1, 2, 3}, {0, 2, 1, 3}, {3, 2, 1, 0}, {1, 0, 3, 2}})
    for (const index_t keys : {1, 2, 63, 64, 65, 130, 257})
      for (int ones = 0; ones < 8; ++ones) {
        const bytes_of mask({ones & 1 ? 1 : 2, ones & 2 ? 1 : 3, ones & 4 ? 1 : 4, keys}, order, seed % 3 + 1, seed);
        ++seed;
        const packed_rows rows(mask.seen);
        for (index_t b = 0; b < 2; ++b)
          for (index_t h = 0; h < 3; ++h)
            for (index_t i = 0; i < 4; ++i)
              expect_row(mask, rows({.keys = keys, .head = h, .batch = b, .query = i}),
                         {.keys = keys, .head = h, .batch = b, .query = i});
      }
}

// Texts that are shorter than the tensor, lie somewhere along it, or have keys that are not at hand.
TEST(packed_rows, see_the_keys_of_their_own_text) {
  for (unsigned seed = 1; seed < 30; ++seed) {
    const bytes_of mask({1, 1, 12, 200}, {0, 1, 2, 3}, 1, seed);
    const packed_rows rows(mask.seen);
    for (index_t i = 0; i < 12; ++i)
      for (const index_t first : {-130, -64, -1, 0, 1, 64, 100, 199, 200, 300})
        for (const index_t keys : {0, 1, 64, 70, 150, 400}) {
          const query_row row{.keys = keys, .query = i, .first_key = first};
          expect_row(mask, rows(row), row);
        }
  }
}

TEST(packed_rows, of_one_element_stand_for_all_keys) {
  const unsigned char yes = 7, no = 0;
  for (const index_t first : {-50, 0, 90}) {
    const query_row row{.keys = 1000, .query = 3, .first_key = first};
    EXPECT_EQ(packed_rows({&yes, {1, 1, 1, 1}, {}})(row).hull(), (interval{0, 1000}));
    EXPECT_EQ(packed_rows({&yes, {1, 1, 1, 1}, {}})(row).count(), 1000);
    EXPECT_EQ(packed_rows({&yes, {1, 1, 1, 1}, {}})(row).bits(970), (interval{0, 30}.bits(0)));
    EXPECT_EQ(packed_rows({&no, {1, 1, 1, 1}, {}})(row).hull(), interval{});
    EXPECT_EQ(packed_rows({&no, {1, 1, 1, 1}, {}})(row).count(), 0);
  }
}

TEST(packed_rows, may_be_none) {
  const packed_rows no_keys({nullptr, {1, 1, 3, 0}, {0, 0, 0, 1}});
  EXPECT_EQ(no_keys({.query = 2}).count(), 0);
  EXPECT_EQ(no_keys({.query = 2}).hull(), interval{});
  const packed_rows no_rows({nullptr, {1, 1, 0, 3}, {0, 0, 3, 1}});
}

}  // namespace
