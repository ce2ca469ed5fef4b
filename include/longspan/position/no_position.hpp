#pragma once

#include <span>

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN

// NoPE: no position enters the rows. The same as no row part at all, for mechanisms that say so.
struct no_position {
  template <class T>
  void turn(std::span<T>, index_t) const {}
  template <class T>
  void turn_back(std::span<const T>, std::span<T>, index_t) const {}
};

LONGSPAN_NAMESPACE_END
