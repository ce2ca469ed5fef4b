#pragma once

#include <thread>

#include <longspan/core/device.hpp>
#include <longspan/distributed/ranks.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A device that moves transfers on between the items of a call. MPI sends and receives large messages only while someone calls it, and
// where it was begun by MPI_Init only the thread that began it may: the calling thread does, after every item that it takes.
template <device D>
struct progressing {
  const D& of;
  const ranks& all;
  std::thread::id caller = std::this_thread::get_id();

  index_t threads() const { return detail::threads_of(of); }
  void run(index_t count, const auto& work) const { device_traits<D>::run(of, count, work); }
  void between_items() const {
    if (std::this_thread::get_id() == caller) all.progress();
  }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
