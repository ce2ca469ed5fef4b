// expects: the right side is no part of a mechanism: see the concepts row_part, rotation, score, transform and mask
#include <longspan/mechanism.hpp>
#include <longspan/score/dot_product.hpp>

// Meant as a mask, but it answers with a number.
struct count_of_keys {
  longspan::index_t operator()(const longspan::query_row& row) const { return row.position; }
};

void refused() { longspan::dot_product{} | count_of_keys{}; }
