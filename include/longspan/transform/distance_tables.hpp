#pragma once

#include <memory>

#include <longspan/core/index.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/kept_blocks.hpp>
#include <longspan/transform/distance_table.hpp>
#include <longspan/transform/reach.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A distance_table for each head: that of head h holds f(t, h).
template <class T, bool Scaled>
class distance_tables {
 public:
  template <class F>
  distance_tables(const reach& distances, index_t heads, const F& f)
      : tables_(std::allocate_shared<buffer<distance_table<T, Scaled>>>(recycled<T>())) {
    for (index_t h = 0; h < heads; ++h) tables_->emplace_back(distances, [&](index_t t) { return f(t, h); });
  }

  index_t heads() const { return index_t(tables_->size()); }
  auto operator()(const query_row& row) const { return (*tables_)[std::size_t(row.head)](row); }
  auto at_most(const query_row& row) const { return (*tables_)[std::size_t(row.head)].at_most(row); }

 private:
  std::shared_ptr<buffer<distance_table<T, Scaled>>> tables_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
