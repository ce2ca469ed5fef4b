#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A device runs the work of a call: Eigen::DefaultDevice on the calling thread, Eigen::ThreadPoolDevice (define EIGEN_USE_THREADS) on
// its pool and the calling thread.
template <class D>
concept device = requires(const D& d, std::size_t bytes) { d.allocate(bytes); };
template <class D>
concept pool_device = device<D> && requires(const D& d) {
  d.numThreads();
  d.enqueueNoNotification([] {});
};

template <device D>
index_t threads_of(const D& d) {
  if constexpr (pool_device<D>)
    return std::max(1, int(d.numThreads()));
  else
    return 1;
}

// The items of one call, taken in ascending order from a shared counter, so that no thread waits while work is left. It outlives the
// call in the hands of pool threads that come too late: they find nothing left and touch nothing of the caller's.
class shared_items {
 public:
  explicit shared_items(index_t items) : items_(items), open_(items) {}

  // Works until nothing is left. After a failure the remaining items are only counted.
  template <class Work>
  void run(index_t thread, const Work& work) {
    for (index_t item; (item = next_.fetch_add(1)) < items_;) {
      try {
        if (!failed_) work(thread, item);
      } catch (...) {
        const std::lock_guard lock(failing_);
        if (!failed_) failure_ = std::current_exception();
        failed_ = true;
      }
      if (open_.fetch_sub(1) == 1) open_.notify_all();
    }
  }

  // Returns when every item is done, and throws what an item threw.
  void wait() {
    for (index_t open; (open = open_.load()) > 0;) open_.wait(open);
    if (failed_) std::rethrow_exception(failure_);
  }

 private:
  const index_t items_;
  std::atomic<index_t> next_ = 0, open_;
  std::atomic<bool> failed_ = false;
  std::mutex failing_;
  std::exception_ptr failure_;
};

// Runs work(thread, item) for every item, thread counting from 0 to threads_of(d) - 1. The calling thread works too and waits for items
// alone, never for a pool thread to come, so a call from within the pool cannot lock it up.
template <device D, class Work>
void for_each_item(const D& d, index_t items, const Work& work) {
  const index_t threads = std::min(items, threads_of(d));
  if (threads <= 1) {
    for (index_t item = 0; item < items; ++item) work(0, item);
    return;
  }
  if constexpr (pool_device<D>) {
    const auto shared = std::make_shared<shared_items>(items);
    for (index_t thread = 1; thread < threads; ++thread)
      d.enqueueNoNotification([shared, thread, &work] { shared->run(thread, work); });
    shared->run(0, work);
    shared->wait();
  }
}

LONGSPAN_NAMESPACE_END
