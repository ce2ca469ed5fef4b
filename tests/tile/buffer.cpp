#include <longspan/tile/buffer.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <stdexcept>
#include <thread>
#include <utility>

namespace {

using namespace longspan;
using namespace longspan::detail;

// Runs a body on a thread of its own, which keeps nothing yet.
template <class Body>
void on_new_thread(Body body) {
  std::thread(body).join();
}

TEST(buffer, begins_at_a_cache_line) {
  for (const std::size_t size : {1u, 3u, 17u, 1000u}) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer<float>(size).data()) % 64, 0u);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer<double>(size).data()) % 64, 0u);
  }
}

TEST(buffer, takes_the_memory_that_the_last_one_left) {
  on_new_thread([] {
    const void* memory = nullptr;
    {
      const buffer<float> first(100);
      memory = first.data();
    }
    EXPECT_EQ(kept_blocks::of_this_thread().bytes(), 512u);
    EXPECT_EQ(buffer<double>(60).data(), memory);  // 480 bytes are a block of 512 too
  });
}

TEST(buffer, each_thread_keeps_its_own) {
  on_new_thread([] {
    {
      const buffer<float> first(100);
    }
    on_new_thread([] {
      EXPECT_EQ(kept_blocks::of_this_thread().bytes(), 0u);
      {
        const buffer<float> second(1000);
      }
      EXPECT_EQ(kept_blocks::of_this_thread().bytes(), 4096u);
    });
    EXPECT_EQ(kept_blocks::of_this_thread().bytes(), 512u);
  });
}

TEST(buffer, is_kept_by_the_thread_that_frees_it) {
  on_new_thread([] {
    buffer<float> moved(100);
    const void* const memory = moved.data();
    on_new_thread([&] {
      buffer<float>().swap(moved);
      EXPECT_EQ(kept_blocks::of_this_thread().bytes(), 512u);
      EXPECT_EQ(buffer<float>(100).data(), memory);
    });
    EXPECT_EQ(kept_blocks::of_this_thread().bytes(), 0u);
  });
}

TEST(buffer, two_threads_at_once_do_not_meet) {
  const auto work = [](float number) {
    for (std::size_t step = 0; step < 2000; ++step) {
      buffer<float> mine(1 + step % 700, number), more(1 + step % 90, -number);
      for (const float each : mine) ASSERT_EQ(each, number);
      for (const float each : more) ASSERT_EQ(each, -number);
    }
  };
  std::thread one(work, 1.f), other(work, 2.f);
  one.join(), other.join();
}

// Says how many there are, and throws as it is copied for the last time that it may be.
struct counted {
  static inline int alive = 0, copies_left = 1000;
  int number = 0;

  counted() { ++alive; }
  explicit counted(int n) : number(n) { ++alive; }
  counted(const counted& other) : number(other.number) {
    if (copies_left-- == 0) throw std::runtime_error("no copy is left");
    ++alive;
  }
  counted(counted&& other) noexcept : number(std::exchange(other.number, -1)) { ++alive; }
  counted& operator=(counted) = delete;
  ~counted() { --alive; }
};

TEST(buffer, holds_what_it_was_given) {
  {
    buffer<counted> some;
    for (int n = 0; n < 100; ++n) some.emplace_back(n);
    EXPECT_EQ(counted::alive, 100);
    const buffer<counted> copied = some;
    EXPECT_EQ(counted::alive, 200);
    const buffer<counted> moved = std::move(some);
    EXPECT_EQ(counted::alive, 200);
    ASSERT_EQ(moved.size(), 100u);
    for (int n = 0; n < 100; ++n) EXPECT_TRUE(moved[std::size_t(n)].number == n && copied[std::size_t(n)].number == n);
    some = copied;
    some.resize(3);
    EXPECT_EQ(counted::alive, 203);
    some.resize(5, counted(7));
    EXPECT_EQ(counted::alive, 205);
    EXPECT_TRUE(some[2].number == 2 && some[3].number == 7 && some.back().number == 7);
    some.clear();
    EXPECT_EQ(counted::alive, 200);
    EXPECT_TRUE(some.empty());
  }
  EXPECT_EQ(counted::alive, 0);
}

TEST(buffer, takes_one_of_its_own) {
  buffer<counted> some;
  some.emplace_back(5);
  for (int n = 0; n < 20; ++n) some.push_back(some[0]);
  for (const counted& each : some) EXPECT_EQ(each.number, 5);
}

// Nothing is lost, and nothing stays that nobody has.
TEST(buffer, stands_a_copy_that_fails) {
  {
    const buffer<counted> some(10);
    counted::copies_left = 4;
    EXPECT_THROW((buffer<counted>(some)), std::runtime_error);
    EXPECT_EQ(counted::alive, 10);
    counted::copies_left = 4;
    EXPECT_THROW((buffer<counted>(6, some[0])), std::runtime_error);
    EXPECT_EQ(counted::alive, 10);
    counted::copies_left = 1000;
  }
  EXPECT_EQ(counted::alive, 0);
}

// As long as its block has room, which is a power of two.
TEST(buffer, grows_in_its_place) {
  buffer<float> some(65);  // 260 bytes are a block of 512
  const float* const memory = some.data();
  some.resize(128, 1);
  EXPECT_EQ(some.data(), memory);
  EXPECT_EQ(some[127], 1);
}

}  // namespace
