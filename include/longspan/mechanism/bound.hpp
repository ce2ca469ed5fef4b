#pragma once

#include <algorithm>
#include <concepts>
#include <optional>
#include <span>
#include <tuple>

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/mechanism/composed.hpp>
#include <longspan/mechanism/part.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A mechanism bound to the lengths of one call: what the kernel and the reference ask. Its parts are the sentence's own or the tables
// that stand in for them, sorted by kind.
template <class Rows, class Score, class Transforms, class Masks, class Sinks>
struct bound {
  shapes call;
  Rows rows;
  Score score;
  Transforms transforms;
  Masks masks;
  Sinks sinks;

  // Prepares the channels of one token in place.
  template <class T>
  void query(std::span<T> row, index_t position) const {
    turn(row, position);
    std::get<0>(score).query(row);
  }
  template <class T>
  void key(std::span<T> row, index_t position) const {
    turn(row, position);
    std::get<0>(score).key(row);
  }

  // The gradient of a prepared row to that of the token's channels, in place. `scratch` holds a row for every part that turns it.
  template <class T>
  void query_back(std::span<const T> row, std::span<T> gradient, index_t position, T* scratch) const {
    turn_back(row, gradient, position, scratch, [&](auto turned, auto of) { std::get<0>(score).query_back(turned, of); });
  }
  template <class T>
  void key_back(std::span<const T> row, std::span<T> gradient, index_t position, T* scratch) const {
    turn_back(row, gradient, position, scratch, [&](auto turned, auto of) { std::get<0>(score).key_back(turned, of); });
  }
  static constexpr index_t turns = index_t(std::tuple_size_v<Rows>);

  // The keys, by position in the whole, that every mask lets the row see.
  auto visible(const query_row& row) const {
    return std::apply([&](const auto&... each) { return intersection(longspan::visible(each, row)...); }, masks);
  }

  query_row row(index_t batch, index_t head, index_t query) const {
    query_row described{.position = call.first_query + query,
                        .keys = call.all_keys,
                        .head = head,
                        .heads = call.heads,
                        .batch = batch,
                        .channels = call.channels};
    described.seen = count(visible(described));
    return described;
  }

  // What the dot product of prepared rows is multiplied by to be the score.
  double scale() const {
    if constexpr (requires { std::get<0>(score).factor(call); })
      return std::get<0>(score).factor(call);
    else
      return 1;
  }

  // The function of one row's scores.
  auto transform(const query_row& row) const {
    return std::apply([&](const auto&... each) { return composed{std::tuple{each(row)...}}; }, transforms);
  }

  // The same for the kernel, which starts from the dot product and folds into the query what multiplies the whole row: the logit is
  // function(factor * dot product).
  auto logits(const query_row& row) const {
    return std::apply([&](const auto&... each) { return tempered(scale(), each(row)...); }, transforms);
  }

  // Whether the keys of the tensor are the prepared keys.
  static constexpr bool keeps_keys =
      std::tuple_size_v<Rows> == 0 && requires { requires std::tuple_element_t<0, Score>::keeps_keys; };

  // The logit of the sink, in the call that counts it.
  std::optional<double> sink_logit(index_t head) const {
    if constexpr (std::tuple_size_v < Sinks >> 0)
      if (call.first_key == 0 && call.keys > 0) return std::get<0>(sinks).logit[head].value;
    return {};
  }

 private:
  template <class T>
  void turn(std::span<T> row, index_t position) const {
    std::apply([&](const auto&... each) { (each.turn(row, position), ...); }, rows);
  }

  template <std::size_t Part = 0, class T, class Score_back>
  void turn_back(std::span<const T> row, std::span<T> gradient, index_t position, T* scratch,
                 const Score_back& score_back) const {
    if constexpr (Part == std::tuple_size_v<Rows>) {
      score_back(row, gradient);
    } else {
      const auto& part = std::get<Part>(rows);
      const std::span<T> turned(scratch, row.size());
      std::copy(row.begin(), row.end(), turned.begin());
      part.turn(turned, position);
      turn_back<Part + 1>(std::span<const T>(turned), gradient, position, scratch + row.size(), score_back);
      part.turn_back(row, gradient, position);
    }
  }

  template <std::size_t N>
  static auto intersection(const intervals<N>& runs) {
    return runs;
  }
  template <std::size_t A, std::size_t B, class... More>
  static auto intersection(const intervals<A>& a, const intervals<B>& b, const More&... more) {
    return intersection(intersect(a, b), more...);
  }
};

LONGSPAN_NAMESPACE_END
