// A mask of one's own: a row answers with the keys it sees, as an interval or a few.
#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>

#include <longspan/longspan.hpp>

// Chapters of `length` tokens: a token sees the first two tokens of its chapter, its title, and the last four up to itself.
// From this answer the kernel learns which tiles to skip; intervals may overlap, and keys that do not exist are cut off.
struct title_and_recent {
  longspan::index_t length;
  std::array<longspan::interval, 2> operator()(const longspan::query_row& row) const {
    const longspan::index_t chapter = row.position / length * length;
    return {{{chapter, std::min(chapter + 2, row.position + 1)}, {std::max(chapter, row.position - 3), row.position + 1}}};
  }
};
static_assert(longspan::mask<title_and_recent>);

int main() {
  const Eigen::Index tokens = 24, channels = 8;
  const Eigen::MatrixXf q = Eigen::MatrixXf::Random(channels, tokens), k = Eigen::MatrixXf::Random(channels, tokens);
  // With the identity as values, the output of a token is its row of weights.
  const Eigen::MatrixXf v = Eigen::MatrixXf::Identity(tokens, tokens);
  const auto weights = longspan::forward(longspan::dot_product{} | title_and_recent{12}, q, k, v).output;

  bool right = true;
  for (Eigen::Index i = 0; i < tokens; ++i) {
    for (Eigen::Index j = 0; j < tokens; ++j) {
      const Eigen::Index chapter = i / 12 * 12;
      const bool seen = j <= i && j >= chapter && (j < chapter + 2 || j > i - 4);
      std::cout << (weights(j, i) > 0 ? '#' : '.');
      right = right && (weights(j, i) > 0) == seen;
    }
    std::cout << '\n';
    right = right && std::abs(weights.col(i).sum() - 1) < 1e-6f;
  }
  std::cout << (right ? "every row sees what its mask says, and its weights add up to one\n" : "a weight is wrong\n");
  return right ? 0 : 1;
}
