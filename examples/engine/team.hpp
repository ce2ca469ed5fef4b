#pragma once

#include <algorithm>
#include <atomic>

#define EIGEN_USE_THREADS
#include <unsupported/Eigen/CXX11/Tensor>

#include <longspan/core/index.hpp>

namespace engine {

using longspan::index_t;

// The threads of the program: the matrix products share them with longspan, whose device this is (core/device.hpp).
class team {
 public:
  explicit team(int threads) : pool_(threads - 1), threads_(threads) {}

  index_t threads() const { return threads_; }
  void run(index_t count, const auto& work) const {
    Eigen::Barrier others(unsigned(count - 1));
    for (index_t n = 1; n < count; ++n)
      pool_.Schedule([&, n] {
        work(n);
        others.Notify();
      });
    work(0);
    others.Wait();
  }

  // work(item) for every item, each taken by the next thread that is free.
  void share(index_t items, const auto& work) const {
    std::atomic<index_t> next = 0;
    run(std::min(threads_, items), [&](index_t) {
      for (index_t item; (item = next++) < items;) work(item);
    });
  }

 private:
  mutable Eigen::ThreadPool pool_;
  index_t threads_;
};

}  // namespace engine
