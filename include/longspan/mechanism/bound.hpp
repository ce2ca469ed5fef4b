#pragma once

#include <algorithm>
#include <concepts>
#include <memory>
#include <optional>
#include <span>
#include <tuple>

#include <longspan/core/query_row.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/core/text.hpp>
#include <longspan/core/token.hpp>
#include <longspan/mechanism/composed.hpp>
#include <longspan/mechanism/parameters_of.hpp>
#include <longspan/mechanism/seen_keys.hpp>
#include <longspan/position/concept.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A mechanism bound to one text of a call: what the kernel and the reference ask. Its parts are the sentence's own or the tables that
// stand in for them, sorted by kind; of its masks it holds the answers. Texts share what they can.
template <class Rows, class Score, class Transforms, class Seen, class Dropouts, class Sinks>
struct bound {
  text of;
  shapes lengths;  // of the text, as if it were called alone
  Rows rows;
  Score score;
  Transforms transforms;             // bound_transforms
  std::shared_ptr<const Seen> seen;  // seen_keys
  Dropouts dropouts;
  Sinks sinks;

  // What row parts are told of the query of a row, and of key j of those at hand.
  token query_token(const query_row& row) const { return of.at(token::role::query, row.position, row.head); }
  token key_token(index_t key_head, index_t j) const { return of.at(token::role::key, of.first_key + j, key_head); }

  // Prepares the channels of one token in place.
  template <class T>
  void query(std::span<T> row, const token& whose) const {
    turn(row, whose);
    score.query(row);
  }
  template <class T>
  void key(std::span<T> row, const token& whose) const {
    turn(row, whose);
    score.key(row);
  }

  // Turns the gradient of a prepared row into that of the token's channels, in place. `scratch` holds a row for every row part. Adds to
  // `sums`, unless it is empty, the derivatives by the numbers that row parts learn, a row for every list of them.
  template <class T>
  void query_back(std::span<const T> row, std::span<T> gradient, const token& whose, T* scratch,
                  std::span<double> sums = {}) const {
    turn_back(row, gradient, whose, scratch, sums, [&](auto turned, auto of_turned) { score.query_back(turned, of_turned); });
  }
  template <class T>
  void key_back(std::span<const T> row, std::span<T> gradient, const token& whose, T* scratch,
                std::span<double> sums = {}) const {
    turn_back(row, gradient, whose, scratch, sums, [&](auto turned, auto of_turned) { score.key_back(turned, of_turned); });
  }
  static constexpr index_t turns = index_t(std::tuple_size_v<Rows>);

  // The row of a query of the text.
  query_row row(index_t head, index_t query) const {
    query_row described = place_of_row(lengths, of, head, query);
    described.seen = seen->count(head, query);
    return described;
  }

  // Whether the prepared keys are the keys of the tensor.
  static constexpr bool keeps_keys = std::tuple_size_v<Rows> == 0 && requires { requires Score::keeps_keys; };

  // Whether heads may share what a row reads beside its keys.
  static constexpr bool heads_share_rows = Transforms::read_tensors;

  // What becomes of the weights of a row after the softmax: a function that multiplies each by a number that does not depend on it. Where
  // nothing does, it returns its argument.
  auto of_weights(const query_row& row) const {
    return std::apply([&](const auto&... each) { return composed{std::tuple{each.of_weights(row)...}}; }, dropouts);
  }

  // The logit of the sink of a row. Of the parts of a text, the one with the first key that the row sees counts it.
  std::optional<double> sink_logit(index_t head, index_t query) const {
    if constexpr (std::tuple_size_v<Sinks> != 0)
      if (seen->has_first(head, query)) return std::get<0>(sinks).logit[head].value;
    return {};
  }

 private:
  template <class T>
  void turn(std::span<T> row, const token& whose) const {
    std::apply([&](const auto&... each) { (detail::turn(each, row, whose), ...); }, rows);
  }

  // The row parts' transposes run last part first, and each needs the row as it was before its part: they are made again on the way down.
  template <std::size_t Part = 0, class T, class ScoreBack>
  void turn_back(std::span<const T> row, std::span<T> gradient, const token& whose, T* scratch, std::span<double> sums,
                 const ScoreBack& score_back) const {
    if constexpr (Part == std::tuple_size_v<Rows>) {
      score_back(row, gradient);
    } else {
      const auto& part = std::get<Part>(rows);
      const std::span<T> turned(scratch, row.size());
      std::copy(row.begin(), row.end(), turned.begin());
      detail::turn(part, turned, whose);
      const std::size_t own = sums.empty() ? 0 : parameter_count<std::tuple_element_t<Part, Rows>> * row.size();
      turn_back<Part + 1>(std::span<const T>(turned), gradient, whose, scratch + row.size(), sums.subspan(own), score_back);
      detail::turn_back(part, row, gradient, whose, sums.first(own));
    }
  }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
