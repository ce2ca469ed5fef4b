// Cosine attention with RoPE: CosScale, S = d as for GAU-alpha, and InfoScale on top of it.
#include "contender.hpp"

std::vector<contender> with_cosines(Index m, Index channels) {
  using namespace longspan;
  const auto cosines = rope{} | cosine{} | cos_scale{double(channels)};
  return {
      trained("CosScale", cosines | causal{}),
      trained("CosScale + InfoScale", cosines | info_scale{.trained = m} | causal{}),
  };
}
