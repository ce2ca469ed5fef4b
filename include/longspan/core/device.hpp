#pragma once

#include <algorithm>
#include <atomic>
#include <concepts>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN

namespace detail {

// How a device is asked. Eigen's devices are adapted in tensor/eigen.hpp.
template <class D>
struct device_traits {
  static index_t threads(const D& d)
    requires requires {
      { d.threads() } -> std::convertible_to<index_t>;
    }
  {
    return d.threads();
  }
  template <class Work>
  static void run(const D& d, index_t count, const Work& work)
    requires requires { d.run(count, work); }
  {
    d.run(count, work);
  }
};

}  // namespace detail

// A device tells how many threads a call may use, and runs it on them:
//   d.threads()         how many at most, the calling thread among them; the same number for as long as a call runs
//   d.run(count, work)  calls work(n) once for each n from 0 to count - 1, count being at most threads(), on any threads and in any
//                       order, and returns when every call has returned
// No call of work waits for another, so some or all of them may run one after the other; none of them throws. What a call of the
// library makes has the same bits for any device. A device of one's own, for OpenMP:
//   struct openmp {
//     longspan::index_t threads() const { return omp_get_max_threads(); }
//     void run(longspan::index_t count, const auto& work) const {
//   #pragma omp parallel for num_threads(int(count)) schedule(static, 1)
//       for (longspan::index_t n = 0; n < count; ++n) work(n);
//     }
//   };
//   longspan::forward(openmp{}, mechanism, q, k, v);
// Eigen::DefaultDevice (the calling thread alone) and Eigen::ThreadPoolDevice (define EIGEN_USE_THREADS) are devices too. A pool whose
// threads may themselves call the library should not wait for a thread to become free: the calling thread then takes the calls that
// no other thread has begun, as detail::run_on_pool does.
template <class D>
concept device = requires(const D& d, index_t count, void (&work)(index_t)) {
  { detail::device_traits<D>::threads(d) } -> std::convertible_to<index_t>;
  detail::device_traits<D>::run(d, count, work);
};

namespace detail {

template <device D>
index_t threads_of(const D& d) {
  return std::max<index_t>(1, device_traits<D>::threads(d));
}

// The numbers 0 to count - 1, each handed to one thread. Pool threads own it together with the caller: one that comes after the caller
// has returned finds no number left, and touches nothing of the caller's.
class shared_numbers {
 public:
  explicit shared_numbers(index_t count) : count_(count), open_(count) {}

  // Calls work with one number after the other until none is left.
  template <class Work>
  void take(const Work& work) {
    for (index_t n; (n = next_.fetch_add(1)) < count_;) {
      work(n);
      if (open_.fetch_sub(1) == 1) open_.notify_all();
    }
  }

  // Returns when every call has returned.
  void wait() const {
    for (index_t open; (open = open_.load()) > 0;) open_.wait(open);
  }

 private:
  const index_t count_;
  std::atomic<index_t> next_ = 0, open_;
};

// What a thread of a pool is handed: numbers of some work of the caller's. One type for any work, because g++ 12 puts the functions of a
// closure where the linker drops them if two files of a program make the same call.
struct pool_task {
  std::shared_ptr<shared_numbers> numbers;
  const void* work;
  void (*call)(const void* work, index_t number);

  void operator()() const {
    numbers->take([this](index_t n) { call(work, n); });
  }
};

// device::run for a pool that is told by enqueue(function) to call a function at some time. The calling thread works too and waits only
// for calls that have begun, never for a pool thread to become free: a call from within the pool cannot lock it up.
template <class Enqueue, class Work>
void run_on_pool(const Enqueue& enqueue, index_t count, const Work& work) {
  const auto shared = std::make_shared<shared_numbers>(count);
  try {
    const auto call = [](const void* of, index_t n) { (*static_cast<const Work*>(of))(n); };
    for (index_t helper = 1; helper < count; ++helper) enqueue(pool_task{shared, &work, call});
  } catch (...) {  // out of memory: fewer threads help
  }
  shared->take(work);
  shared->wait();
}

// The calling thread alone.
struct this_thread {
  index_t threads() const { return 1; }
  void run(index_t count, const auto& work) const {
    for (index_t n = 0; n < count; ++n) work(n);
  }
};

// The items of one call, taken in ascending order from a shared counter: no thread idles while items are left. After a failure no item
// is begun.
class item_queue {
 public:
  explicit item_queue(index_t items) : items_(items) {}

  template <class Work>
  void take(index_t thread, const Work& work) noexcept {
    try {
      for (index_t item; !failed_ && (item = next_.fetch_add(1)) < items_;) work(thread, item);
    } catch (...) {
      const std::lock_guard lock(failing_);
      if (!failed_) failure_ = std::current_exception();
      failed_ = true;
    }
  }

  // For the calling thread, when all others are done. The exception leaves the queue before it is thrown.
  void throw_failure() {
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
  const index_t items_;
  std::atomic<index_t> next_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex failing_;
  std::exception_ptr failure_;
};

// Runs work(thread, item) for every item, thread counting from 0 to threads_of(d) - 1: no two items run under one number at once, so
// memory may belong to a number. The first exception of an item reaches the caller. A device of the library's own may have something to
// do after every item, on the thread that took it: between_items().
template <device D, class Work>
void for_each_item(const D& d, index_t items, const Work& work) {
  const auto one = [&](index_t thread, index_t item) {
    work(thread, item);
    if constexpr (requires { d.between_items(); }) d.between_items();
  };
  const index_t threads = std::min(items, detail::threads_of(d));
  if (threads <= 1) {
    for (index_t item = 0; item < items; ++item) one(0, item);
    return;
  }
  item_queue queue(items);
  device_traits<D>::run(d, threads, [&](index_t thread) { queue.take(thread, one); });
  queue.throw_failure();
}

}  // namespace detail

LONGSPAN_NAMESPACE_END
