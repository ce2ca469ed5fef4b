#pragma once

#include <longspan/core/device.hpp>
#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A device of any type, of which functions that are no templates are told. It refers to the device, which must live while it is used.
struct any_device {
  using one_call = void (*)(const void* work, index_t number);
  const void* device;
  index_t count;
  void (*run_on)(const void* device, index_t count, const void* work, one_call call);

  template <longspan::device D>
  static any_device of(const D& d) {
    return {&d, detail::threads_of(d), [](const void* one, index_t numbers, const void* work, one_call call) {
              device_traits<D>::run(*static_cast<const D*>(one), numbers, [=](index_t n) { call(work, n); });
            }};
  }

  index_t threads() const { return count; }
  template <class Work>
  void run(index_t calls, const Work& work) const {
    run_on(device, calls, &work, [](const void* of, index_t n) { (*static_cast<const Work*>(of))(n); });
  }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
