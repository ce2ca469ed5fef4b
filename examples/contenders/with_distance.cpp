// Mechanisms whose logits know the distance.
#include "contender.hpp"

std::vector<contender> with_distance(Index m) {
  using namespace longspan;
  const truncated_rope ladder{.base = double(m) / 4};
  const auto invariant = [=](double tau) {
    return rms_normalize{} | ladder | dot_product{} | scale_invariant{.tau = tau} | causal{};
  };
  return {
      trained("ALiBi", rms_normalize{} | dot_product{} | alibi{} | causal{}),
      trained("scale-invariant p-RoPE", invariant(10)),
      trained("scale-invariant tau 1", invariant(1)),
  };
}
