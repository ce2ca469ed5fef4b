#if !defined(EIGEN_USE_THREADS)
#define EIGEN_USE_THREADS
#endif
#include <longspan/core/device.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

#include <unsupported/Eigen/CXX11/Tensor>

namespace {

using namespace longspan;

static_assert(device<Eigen::DefaultDevice> && !pool_device<Eigen::DefaultDevice>);
static_assert(device<Eigen::ThreadPoolDevice> && pool_device<Eigen::ThreadPoolDevice>);
static_assert(!device<int>);

// Runs the check with no pool, and with pools smaller and larger than the machine.
template <class Check>
void for_every_device(Check check) {
  check(Eigen::DefaultDevice{});
  for (const int threads : {1, 2, 5}) {
    Eigen::ThreadPool pool(threads);
    check(Eigen::ThreadPoolDevice(&pool, threads));
  }
}

TEST(device, has_as_many_threads_as_its_pool) {
  Eigen::ThreadPool pool(3);
  EXPECT_EQ(threads_of(Eigen::ThreadPoolDevice(&pool, 3)), 3);
  EXPECT_EQ(threads_of(Eigen::DefaultDevice{}), 1);
}

TEST(device, does_every_item_once_on_a_thread_it_has) {
  for_every_device([](const auto& d) {
    for (const index_t items : {0, 1, 2, 7, 500}) {
      std::vector<std::atomic<int>> done(static_cast<std::size_t>(items));
      std::atomic<bool> numbered{true};
      for_each_item(d, items, [&](index_t thread, index_t item) {
        ++done[std::size_t(item)];
        if (thread < 0 || thread >= threads_of(d)) numbered = false;
      });
      for (const auto& times : done) EXPECT_EQ(times, 1);
      EXPECT_TRUE(numbered);
    }
  });
}

// What belongs to a thread's number may be used without a lock.
TEST(device, never_runs_two_items_under_one_number) {
  for_every_device([](const auto& d) {
    std::vector<std::atomic<int>> busy(std::size_t(threads_of(d)));
    std::atomic<bool> alone{true};
    for_each_item(d, 300, [&](index_t thread, index_t) {
      if (++busy[std::size_t(thread)] != 1) alone = false;
      --busy[std::size_t(thread)];
    });
    EXPECT_TRUE(alone);
  });
}

TEST(device, hands_on_what_an_item_throws) {
  for_every_device([](const auto& d) {
    const auto work = [](index_t, index_t item) {
      if (item == 3) throw std::runtime_error("item 3");
    };
    EXPECT_THROW(for_each_item(d, 500, work), std::runtime_error);
    EXPECT_NO_THROW(for_each_item(d, 2, work));
  });
}

TEST(device, begins_nothing_after_a_failure) {
  index_t begun = 0;
  const auto work = [&](index_t, index_t item) { ++begun, item == 3 ? throw std::runtime_error("item 3") : 0; };
  EXPECT_THROW(for_each_item(Eigen::DefaultDevice{}, 500, work), std::runtime_error);
  EXPECT_EQ(begun, 4);
}

// A pool whose every thread waits for such a call must still finish it.
TEST(device, may_be_used_from_within_its_own_pool) {
  Eigen::ThreadPool pool(2);
  const Eigen::ThreadPoolDevice d(&pool, 2);
  std::atomic<int> done{0};
  for_each_item(d, 8, [&](index_t, index_t) { for_each_item(d, 8, [&](index_t, index_t) { ++done; }); });
  EXPECT_EQ(done, 64);
}

}  // namespace
