// expects: parameters() of a row part names fields of type per_channel
#include <longspan/longspan.hpp>

struct scaled_rows {
  longspan::per_head scale = 2.0;
  template <class T>
  void turn(std::span<T> row, const longspan::token& of) const {
    for (T& channel : row) channel *= T(scale[of.head].value);
  }
  auto parameters() { return std::tie(scale); }
};

void refused() {
  longspan::for_each_learned(scaled_rows{} | longspan::dot_product{} | longspan::causal{}, [](double) {});
}
