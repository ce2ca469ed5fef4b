#pragma once

#include <atomic>
#include <exception>
#include <mutex>

#include <Eigen/Core>
#include <unsupported/Eigen/CXX11/Tensor>

#include <longspan/core/index.hpp>

namespace longspan::inline LONGSPAN_ISA {

// A device runs work: Eigen::DefaultDevice on the calling thread, Eigen::ThreadPoolDevice (define EIGEN_USE_THREADS) on its pool.
template <class D>
concept pool_device = requires(const D& d) {
  d.numThreads();
  d.enqueueNoNotification([] {});
};
template <class D>
concept device = std::same_as<D, Eigen::DefaultDevice> || pool_device<D>;

template <device D>
index_t threads_of(const D& d) {
  if constexpr (pool_device<D>)
    return d.numThreads();
  else
    return 1;
}

// Runs work(thread, item) for every item, in ascending order from one shared counter, so that no thread waits while work is left. What
// a part throws on another thread is thrown here.
template <device D, class Work>
void for_each_item(const D& d, index_t items, Work work) {
  std::atomic<index_t> next{0};
  std::exception_ptr failure;
  std::mutex failing;
  const auto run = [&](index_t thread) {
    try {
      for (index_t item; (item = next.fetch_add(1)) < items;) work(thread, item);
    } catch (...) {
      next = items;
      const std::lock_guard lock(failing);
      if (!failure) failure = std::current_exception();
    }
  };
  if constexpr (pool_device<D>) {
    // A cost beyond any threshold: Eigen then gives every thread a block of one.
    const Eigen::TensorOpCost heavy(0, 0, 1e9);
    d.parallelFor(std::min(items, threads_of(d)), heavy, [&](index_t first, index_t last) {
      for (index_t thread = first; thread < last; ++thread) run(thread);
    });
  } else {
    run(0);
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace longspan::inline LONGSPAN_ISA
