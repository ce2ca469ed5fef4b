// expects: a mask answers with the keys that a row sees, not with bool or a vector: return an interval{first, last}
#include <longspan/mechanism.hpp>
#include <longspan/score/dot_product.hpp>

// Whether the row sees anything.
struct even_rows {
  bool operator()(const longspan::query_row& row) const { return row.position % 2 == 0; }
};

void refused() { longspan::dot_product{} | even_rows{}; }
