// Mechanisms whose positions are a rotation of the rows, or none, and the temperatures that mend them.
#include "contender.hpp"

std::vector<contender> rotated(Index m) {
  using namespace longspan;
  // The ladder of arXiv 2505.17083 is 1 to 1/1024 for a trained length of 4096: its slowest pair turns two thirds of a circle.
  const truncated_rope ladder{.base = double(m) / 4};
  const auto turned = rms_normalize{} | rope{} | dot_product{};
  const auto partly = rms_normalize{} | ladder | dot_product{};
  // What is switched on at evaluation leaves rows of up to m keys as they are. LogN is c log n with a c for each head, as in that paper's tables.
  const auto factor = [m](Index length) { return double(length) / double(m); };
  return {
      trained("RoPE", turned | causal{}),
      untrained("RoPE + PI", "RoPE",
                [=](Index n) { return rms_normalize{} | rope{}.interpolate(factor(n)) | dot_product{} | causal{}; }),
      untrained("RoPE + NTK", "RoPE",
                [=](Index n) { return rms_normalize{} | rope{}.ntk(factor(n)) | dot_product{} | causal{}; }),
      untrained(
          "RoPE + YaRN", "RoPE",
          [=](Index n) { return rms_normalize{} | rope{}.yarn({.factor = factor(n), .trained = m}) | dot_product{} | causal{}; }),
      untrained("RoPE + log n / log m", "RoPE", [=](Index) { return turned | log_n{.trained = m, .clamp = true} | causal{}; }),
      untrained("RoPE + InfoScale", "RoPE", [=](Index) { return turned | info_scale{.trained = m, .clamp = true} | causal{}; }),
      learning("LogN + RoPE", [=](per_head c) { return turned | ss_max{c} | causal{}; }),
      trained("NoPE", rms_normalize{} | no_position{} | dot_product{} | causal{}),
      trained("p-RoPE", partly | causal{}),
      untrained("p-RoPE + InfoScale", "p-RoPE",
                [=](Index) { return partly | info_scale{.trained = m, .clamp = true} | causal{}; }),
      learning("LogN + p-RoPE", [=](per_head c) { return partly | ss_max{c} | causal{}; }),
  };
}
