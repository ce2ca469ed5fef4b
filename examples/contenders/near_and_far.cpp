// What reads all keys at distances that a model trained with RoPE knows: near keys at their own, far keys closer than they are. Half of the
// trained length is near, as its authors recommend, and what is left is for the rest.
#include <algorithm>
#include <cmath>

#include "any_part.hpp"
#include "contender.hpp"

std::vector<contender> near_and_far(Index m) {
  using namespace longspan;
  const auto scored = rms_normalize{} | dot_product{};
  const Index near = m / 2;
  // How many times closer the farthest of n keys must come.
  const auto closer = [=](Index n) { return std::max(1.0, double(n - near) / double(m - near)); };
  return {
      untrained("RoPE + ReRoPE", "RoPE", [=](Index) { return rerope(near, scored | untempered()); }),
      untrained("RoPE + ReRoPE + log n / log m", "RoPE",
                [=](Index) { return rerope(near, scored | tempered_by(log_n{.trained = m, .clamp = true})); }),
      untrained("RoPE + Leaky ReRoPE", "RoPE", [=](Index n) { return leaky_rerope(near, closer(n), scored); }),
      untrained("RoPE + SelfExtend", "RoPE", [=](Index n) { return self_extend(Index(std::ceil(closer(n))), near, scored); }),
      untrained("RoPE + dual chunks", "RoPE", [=](Index) { return dual_chunk(3 * m / 4, m, scored); }),
  };
}
