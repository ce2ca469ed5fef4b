// Mechanisms whose logits know the distance.
#include <cstdio>
#include <string>

#include "contender.hpp"

// tau is a length of tokens: the paper's 10 was swept at a trained length of 4096, of which it is 1/410.
std::vector<contender> with_distance(Index m) {
  using namespace longspan;
  const truncated_rope ladder{.base = double(m) / 4};
  std::vector<contender> all = {trained("ALiBi", rms_normalize{} | dot_product{} | alibi{} | causal{})};
  const auto add = [&](const std::string& name, double tau) {
    all.push_back(trained(name, rms_normalize{} | ladder | dot_product{} | scale_invariant{.tau = tau} | causal{}));
  };
  add("scale-invariant p-RoPE", 10);
  add("scale-invariant tau m/410", double(m) / 409.6);
  for (const double tau : {0.1, 1.0, 3.0, 30.0}) {
    char name[40];
    std::snprintf(name, sizeof name, "scale-invariant tau %g", tau);
    add(name, tau);
  }
  return all;
}
