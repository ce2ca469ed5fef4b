// Cosine attention with RoPE: CosScale, S = d as for GAU-alpha, and InfoScale on top of it.
#include "any_part.hpp"
#include "contender.hpp"

std::vector<contender> with_cosines(Index m, Index channels) {
  using namespace longspan;
  const auto read = [=](const any_temperature& tempered) {
    return rope{} | cosine{} | cos_scale{double(channels)} | tempered | causal{};
  };
  return {
      trained("CosScale", read(untempered())),
      trained("CosScale + InfoScale", read(tempered_by(info_scale{.trained = m}))),
  };
}
