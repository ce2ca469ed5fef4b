#pragma once

#include <atomic>
#include <future>
#include <vector>

#include "matrix.hpp"

namespace model {

// Calls work(item) for every item from 0 to items - 1 on `threads` threads, each of which takes the next item when it is done with one.
// What an item throws reaches the caller once every thread has ended.
void for_each_item(int threads, Index items, const auto& work) {
  std::atomic<Index> next = 0;
  const auto take = [&] {
    for (Index item; (item = next++) < items;) work(item);
  };
  std::vector<std::future<void>> others;
  for (int started = 1; started < threads; ++started) others.push_back(std::async(std::launch::async, take));
  take();
  for (auto& each : others) each.get();
}

}  // namespace model
