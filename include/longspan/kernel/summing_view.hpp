#pragma once

#include <cstddef>
#include <type_traits>

#include <longspan/core/device.hpp>
#include <longspan/core/index.hpp>
#include <longspan/tensor/copy_tokens.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Memory of T with the extents of a tensor.
template <class T>
class summand_memory {
 public:
  template <class S>
  explicit summand_memory(const view<S>& like) : memory_(std::size_t(like.size())) {
    at_ = packed_view(memory_.data(), like.extent[0], like.extent[1], like.extent[2], like.extent[3]);
  }
  summand_memory(const summand_memory&) = delete;

  const view<T>& at() const { return at_; }

 private:
  buffer<T> memory_;
  view<T> at_;
};

// Where the summands of a result are summed in T: in the result itself if it is of T, else in memory.
template <class T, class S>
class summing_view {
  static constexpr bool in_place = std::is_same_v<T, S>;

 public:
  explicit summing_view(const view<S>& result) : result_(result), memory_(in_place ? view<S>{} : result) {}

  view<T> at() const {
    if constexpr (in_place)
      return result_;
    else
      return memory_.at();
  }

  // Rounds the sums to the result, where they are not in it.
  template <device D>
  void deliver(const D& d) const {
    if constexpr (!in_place) detail::copy_tokens(d, memory_.at(), result_);
  }

 private:
  view<S> result_;
  summand_memory<T> memory_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
