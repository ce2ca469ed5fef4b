#if !defined(EIGEN_USE_THREADS)
#define EIGEN_USE_THREADS
#endif
#include <longspan/core/device.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <thread>
#include <vector>

#include <longspan/tensor/eigen.hpp>

#include "support/devices.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using testing_support::backwards;
using testing_support::std_threads;

static_assert(device<Eigen::DefaultDevice> && device<Eigen::ThreadPoolDevice>);
static_assert(device<std_threads> && device<backwards>);
static_assert(!device<int>);

struct runs_only {
  void run(index_t, const auto&) const {}
};
struct threads_only {
  index_t threads() const { return 2; }
};
static_assert(!device<runs_only> && !device<threads_only>);

// Runs the check with no pool, with pools smaller and larger than the machine, and with devices of one's own.
template <class Check>
void for_every_device(Check check) {
  check(Eigen::DefaultDevice{});
  for (const index_t threads : {1, 2, 5}) check(std_threads{threads}), check(backwards{threads});
  for (const int threads : {1, 2, 5}) {
    Eigen::ThreadPool pool(threads);
    check(Eigen::ThreadPoolDevice(&pool, threads));
  }
}

TEST(device, has_as_many_threads_as_its_pool) {
  Eigen::ThreadPool pool(3);
  EXPECT_EQ(threads_of(Eigen::ThreadPoolDevice(&pool, 3)), 3);
  EXPECT_EQ(threads_of(Eigen::DefaultDevice{}), 1);
  EXPECT_EQ(threads_of(std_threads{4}), 4);
  EXPECT_EQ(threads_of(std_threads{0}), 1);
}

// What `run` promises, for the devices that are not ours.
TEST(device, runs_every_number_once) {
  for_every_device([](const auto& d) {
    for (const index_t count : {0, 1, 2, 5}) {
      std::vector<std::atomic<int>> done(static_cast<std::size_t>(count));
      device_traits<std::remove_cvref_t<decltype(d)>>::run(d, count, [&](index_t n) { ++done[std::size_t(n)]; });
      for (const auto& times : done) EXPECT_EQ(times, 1);
    }
  });
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

// Whoever catches the exception owns it alone: no thread of the pool destroys it later.
struct counted : std::runtime_error {
  explicit counted(std::atomic<int>& count) : std::runtime_error("counted"), alive(&count) { ++count; }
  counted(const counted& other) : std::runtime_error(other), alive(other.alive) { ++*alive; }
  ~counted() override { --*alive; }
  std::atomic<int>* alive;
};

TEST(device, keeps_nothing_of_what_it_threw) {
  for_every_device([](const auto& d) {
    for (int repeat = 0; repeat < 20; ++repeat) {
      std::atomic<int> alive{0};
      EXPECT_THROW(for_each_item(d, 20, [&](index_t, index_t) { throw counted(alive); }), counted);
      EXPECT_EQ(alive, 0);
    }
  });
}

// A pool that begins nothing until it is told to.
struct late_pool {
  std::deque<std::function<void()>> waiting;
  void Schedule(std::function<void()> function) { waiting.push_back(std::move(function)); }
};

// As Eigen's device has a pool.
template <class Pool>
struct device_with {
  Pool* pool;
  int numThreads() const { return 3; }
  Pool* getPool() const { return pool; }
};

TEST(device, does_not_wait_for_a_pool_that_does_not_begin) {
  late_pool pool;
  const device_with<late_pool> d{&pool};
  auto done = std::make_unique<std::vector<int>>(30);
  for_each_item(d, 30, [&](index_t, index_t item) { ++(*done)[std::size_t(item)]; });
  EXPECT_EQ(*done, std::vector<int>(30, 1));
  done.reset();
  ASSERT_EQ(pool.waiting.size(), 2u);
  for (const auto& function : pool.waiting) function();  // too late: there is nothing left to touch
}

// A pool that has no memory for what it is told.
struct full_pool {
  void Schedule(const std::function<void()>&) { throw std::bad_alloc(); }
};

TEST(device, works_alone_where_its_pool_is_full) {
  full_pool pool;
  int done = 0;
  for_each_item(device_with<full_pool>{&pool}, 30, [&](index_t, index_t) { ++done; });
  EXPECT_EQ(done, 30);
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
