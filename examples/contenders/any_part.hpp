#pragma once

#include <functional>
#include <utility>

#include <longspan/longspan.hpp>

// Parts that are chosen when the program runs: contenders that differ in them alone are one sentence, which is compiled once.
struct any_rotation {
  std::function<longspan::ladder(longspan::index_t channels)> of;
  longspan::ladder frequencies(longspan::index_t channels) const { return of(channels); }
};

struct any_temperature {
  static constexpr longspan::stage order = longspan::stage::temperature;
  std::function<longspan::row_factor(const longspan::query_row&)> of;
  longspan::row_factor operator()(const longspan::query_row& row) const { return of(row); }
};

template <class Rotation>
any_rotation turned_by(Rotation rotation) {
  return {[rotation = std::move(rotation)](longspan::index_t channels) { return rotation.frequencies(channels); }};
}
template <class Temperature>
any_temperature tempered_by(Temperature temperature) {
  return {std::move(temperature)};
}
inline any_temperature untempered() { return tempered_by(longspan::temperature{1}); }
