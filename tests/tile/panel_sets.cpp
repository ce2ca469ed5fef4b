#include <longspan/tile/panel_sets.hpp>

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace {

using namespace longspan;
using namespace longspan::detail;

// Against a flag for each panel.
class flags {
 public:
  flags(index_t heads, index_t keys)
      : panels_(std::size_t(heads), std::vector<bool>(std::size_t(round_up(keys, panel_keys) / panel_keys))) {}

  void add(index_t head, interval keys) {
    for (index_t j = keys.first; j < keys.last; ++j) panels_[std::size_t(head)][std::size_t(j / panel_keys)] = true;
  }
  interval needed(index_t head, interval keys) const {
    interval all;
    for (index_t p = 0; p < index_t(panels_[std::size_t(head)].size()); ++p) {
      const interval panel{p * panel_keys, (p + 1) * panel_keys};
      if (panels_[std::size_t(head)][std::size_t(p)] && !intersect(panel, keys).empty()) all = hull(all, panel);
    }
    return all;
  }

 private:
  std::vector<std::vector<bool>> panels_;
};

TEST(panel_sets, hold_the_panels_that_each_head_needs) {
  std::mt19937 generator(1);
  // One panel, one word of panels, one more, several words.
  for (const index_t keys : {1, 63, 64, 65, 64 * 64 - 1, 64 * 64, 64 * 64 + 1, 3 * 64 * 64 + 700}) {
    panel_sets sets(3, keys);
    flags wanted(3, keys);
    std::uniform_int_distribution<index_t> key(0, keys), size(-2, 300);
    const auto some = [&] {
      const index_t first = key(generator);
      return interval{first, std::min(keys, first + size(generator))};
    };
    for (int trial = 0; trial < 40; ++trial) {
      const index_t head = index_t(generator() % 3);
      const interval seen = some();
      sets.add(head, seen), wanted.add(head, seen);
      for (index_t h = 0; h < 3; ++h) {
        EXPECT_EQ(sets.needed(h, {0, keys}), wanted.needed(h, {0, keys})) << keys;
        for (int part = 0; part < 8; ++part) {
          const interval of = some();
          EXPECT_EQ(sets.needed(h, of), wanted.needed(h, of)) << keys << " keys, from " << of.first << " to " << of.last;
        }
      }
    }
  }
}

TEST(panel_sets, of_no_keys_need_none) {
  panel_sets none(2, 0);
  none.add(1, {});
  EXPECT_TRUE(none.needed(1, {0, 0}).empty());
  panel_sets some(1, 1000);
  some.add(0, {70, 70}), some.add(0, {80, 60});
  EXPECT_TRUE(some.needed(0, {0, 1000}).empty());
}

TEST(panel_sets, forget_what_they_are_told_to) {
  panel_sets sets(2, 10'000);
  sets.add(0, {100, 9'000}), sets.add(1, {0, 1});
  sets.clear();
  EXPECT_TRUE(sets.needed(0, {0, 10'000}).empty() && sets.needed(1, {0, 10'000}).empty());
  sets.add(1, {640, 641});
  EXPECT_EQ(sets.needed(1, {0, 10'000}), (interval{640, 704}));
  EXPECT_TRUE(sets.needed(0, {0, 10'000}).empty());
}

}  // namespace
