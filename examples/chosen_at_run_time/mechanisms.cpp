// The only unit that compiles the kernel: two sentences. Numbers of a sentence are values, so they cost nothing to vary.
#include "mechanisms.hpp"

#include <limits>
#include <stdexcept>

#include <longspan/longspan.hpp>
#include <nlohmann/json.hpp>

longspan::any_mechanism<float> mechanism_of(const std::string& json) {
  using namespace longspan;
  const auto configuration = nlohmann::json::parse(json);
  const auto name = configuration.value("mechanism", std::string("rope"));
  const index_t trained = configuration.value("trained", index_t(2048));
  // A window that hides nothing is one that every text fits into.
  const index_t window = configuration.value("sliding_window", std::numeric_limits<index_t>::max() / 8);

  const rope rows{.base = configuration.value("rope_theta", 10000.0)};
  const auto masks = sliding_window{.before = window - 1} | causal{};
  if (name == "rope") return make_any<float>(rows | dot_product{} | masks);
  if (name == "scale_invariant")
    return make_any<float>(p_rope{} | dot_product{} | scale_invariant{.tau = double(trained) / 128} | masks);
  throw std::invalid_argument("mechanism must be rope or scale_invariant, not " + name);
}
