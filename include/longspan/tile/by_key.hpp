#pragma once

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What stands in memory for each key from `first` on: numbers or rows, `stride` apart. Where a word holds several keys they share it.
// Says where a key's is, so that nobody forms a pointer to where key 0 would be: outside its buffer even the pointer is undefined.
template <class T, index_t PerWord = 1>
struct by_key {
  T* data;
  index_t first;
  index_t stride = 1;

  T* at(index_t key) const { return data + (key - first) / PerWord * stride; }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
