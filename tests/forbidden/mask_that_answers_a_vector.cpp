// expects: a mask answers with the keys that a row sees, not with bool or a vector: return an interval{first, last}
#include <vector>

#include <longspan/mechanism.hpp>
#include <longspan/score/dot_product.hpp>

struct documents {
  std::vector<longspan::interval> operator()(const longspan::query_row& row) const { return {{0, row.position}}; }
};

void refused() { longspan::dot_product{} | documents{}; }
