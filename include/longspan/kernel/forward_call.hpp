#pragma once

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Inputs and results of one call, each in its own storage type, and the words that its products read. log_sum_exp has no extent where
// none is kept.
template <class Words, class Q, class K, class V, class Out>
struct forward_call {
  using words = Words;
  using key_number = K;
  view<const Q> query;
  view<const K> key;
  view<const V> value;
  view<Out> output;
  view<typename Words::compute> log_sum_exp;

  bool keeps_log_sum_exp() const { return log_sum_exp.extent[3] != 0; }
};

// One key head of the batch. The query rows that read it are counted position by position, the heads of its group side by side.
struct key_head {
  index_t batch, head;

  // The n-th, counted through the batch.
  static key_head nth(const shapes& call, index_t n) { return {n / call.key_heads, n % call.key_heads}; }

  index_t query_head(const shapes& call, index_t row) const { return head * call.group() + row % call.group(); }
};

// Run by run, the hull of what the rows of a key head see, counted from the first key of the call.
template <class Mechanism>
auto seen_keys(const Mechanism& mechanism, key_head of) {
  const shapes& call = mechanism.call;
  decltype(mechanism.visible(query_row{})) all{};
  for (index_t row = 0; row < call.queries * call.group(); ++row) {
    const auto seen =
        intersect(mechanism.visible(mechanism.row(of.batch, of.query_head(call, row), row / call.group())), call.key_positions());
    for (std::size_t r = 0; r < seen.size(); ++r) all[r] = hull(all[r], seen[r]);
  }
  for (interval& run : all) run = {run.first - call.first_key, run.last - call.first_key};
  return all;
}

// Row `row` of a key head joins a tile, and its results leave it.
template <class Tile, class Call>
void add_row(Tile& tile, const Call& call, const shapes& lengths, key_head of, index_t row) {
  const index_t h = of.query_head(lengths, row);
  tile.add(call.query.head(of.batch, h), of.batch, h, row / lengths.group());
}
template <class Tile, class Call>
void finish_row(Tile& tile, index_t r, const Call& call, const shapes& lengths, key_head of, index_t row) {
  const index_t h = of.query_head(lengths, row), i = row / lengths.group();
  tile.finish(r, call.output.head(of.batch, h).row(i), call.output.stride[3],
              call.keeps_log_sum_exp() ? call.log_sum_exp.head(of.batch, h).row(i) : nullptr);
}

LONGSPAN_NAMESPACE_END
