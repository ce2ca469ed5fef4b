// Mechanisms whose positions are a rotation of the rows, or none, and the temperatures that mend them.
#include "any_part.hpp"
#include "contender.hpp"

std::vector<contender> rotated(Index m) {
  using namespace longspan;
  const auto read = [](const any_rotation& turned, const any_temperature& tempered) {
    return rms_normalize{} | turned | dot_product{} | tempered | causal{};
  };
  const any_rotation full = turned_by(rope{}), none{[](index_t) { return ladder{}; }};
  // The ladder of arXiv 2505.17083 is 1 to 1/1024 for a trained length of 4096: its slowest pair turns two thirds of a circle.
  const any_rotation partial = turned_by(truncated_rope{.base = double(m) / 4});
  // What is switched on at evaluation leaves rows of up to m keys as they are. LogN is c log n with a c for each head, as in that paper's tables.
  const any_temperature by_log = tempered_by(log_n{.trained = m, .clamp = true}),
                        by_info = tempered_by(info_scale{.trained = m, .clamp = true});
  const auto rescaled = [=](const std::string& name, auto rotation_for) {
    return untrained("RoPE + " + name, "RoPE", [=](Index n) { return read(turned_by(rotation_for(n)), untempered()); });
  };
  const auto switched_on = [=](const std::string& name, const std::string& plain, const any_rotation& turned,
                               const any_temperature& tempered) {
    return untrained(plain + " + " + name, plain, [=](Index) { return read(turned, tempered); });
  };
  const auto learned = [](const std::string& name, const any_rotation& turned) {
    return learning(name, [=](per_head c) { return rms_normalize{} | turned | dot_product{} | ss_max{c} | causal{}; });
  };
  const auto factor = [m](Index length) { return double(length) / double(m); };
  return {
      trained("RoPE", read(full, untempered())),
      rescaled("PI", [=](Index n) { return rope{}.interpolate(factor(n)); }),
      rescaled("NTK", [=](Index n) { return rope{}.ntk(factor(n)); }),
      rescaled("YaRN", [=](Index n) { return rope{}.yarn({.factor = factor(n), .trained = m}); }),
      switched_on("log n / log m", "RoPE", full, by_log),
      switched_on("InfoScale", "RoPE", full, by_info),
      learned("LogN + RoPE", full),
      trained("NoPE", read(none, untempered())),
      trained("p-RoPE", read(partial, untempered())),
      switched_on("InfoScale", "p-RoPE", partial, by_info),
      learned("LogN + p-RoPE", partial),
  };
}
