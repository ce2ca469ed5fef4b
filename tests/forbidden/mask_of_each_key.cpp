// expects: a mask answers with the keys that a row sees, not with bool or a vector: return an interval{first, last}
#include <longspan/mechanism.hpp>
#include <longspan/score/dot_product.hpp>

void refused() {
  longspan::dot_product{} | [](const longspan::query_row& row, longspan::index_t key) { return key <= row.position; };
}
