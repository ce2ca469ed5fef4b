// The only unit that compiles kernels. What models and mechanisms choose when the program runs are numbers of a few sentences.
#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>

#include <longspan/longspan.hpp>
#include <longspan/make_any.hpp>

#include "mechanism.hpp"

namespace pretrained {

namespace {

struct rotation {
  longspan::ladder rungs;
  longspan::ladder frequencies(index_t) const { return rungs; }
  bool operator==(const rotation&) const = default;
};

struct chosen_temperature {
  static constexpr longspan::stage order = longspan::stage::temperature;
  std::string name;
  index_t trained;
  std::optional<longspan::calibrated_temperature> fitted{};

  longspan::row_factor operator()(const longspan::query_row& row) const {
    const bool clamp = !name.ends_with("unclamped");
    if (name.starts_with("info_scale")) return longspan::info_scale{.trained = trained, .clamp = clamp}(row);
    if (name.starts_with("log_n")) return longspan::log_n{.trained = trained, .clamp = clamp}(row);
    return fitted ? (*fitted)(row) : longspan::row_factor{1};
  }
};

}  // namespace

sentence mechanism::of(const studied_model& studied, std::size_t layer, index_t length, index_t room) const {
  using namespace longspan;
  const engine::config& model = studied.config();
  const index_t m = model.trained;
  const layer_kind& kind = model.kinds[layer];
  const rotation turned{rungs(model, kind, length)};
  chosen_temperature tempered{temperature, m};
  if (temperature == "calibrated") {
    if (studied.fitted.empty()) throw std::invalid_argument(name + ": no temperatures were fitted to the model: see `calibrate`");
    tempered.fitted = studied.fitted.at(layer);
  }
  const auto scores = dot_product{.scale = model.scale} | tempered;
  // Tables by position are made once for all layers and calls.
  const auto ready = [&](const auto& whole) { return prepare(whole, {.keys = room, .channels = model.channels}); };
  const auto in_a_cache = [&](const auto& whole) {
    return make_any_for_inference<float, float, Eigen::bfloat16, quantized<8>>(ready(whole));
  };
  const auto in_rows = [&](const auto& whole) { return make_any_for_inference<float>(ready(whole)); };

  const std::map<std::string, sinks_and_window> masks = {
      {"all", {0, std::numeric_limits<index_t>::max()}}, {"local", {0, kind.window}}, {"window", {0, m}}, {"sinks", {4, m - 4}}};
  if (const auto seen = masks.find(kind.window > 0 ? "local" : sight); seen != masks.end())
    return model.softcap > 0 ? in_a_cache(turned | scores | softcap{model.softcap} | seen->second)
                             : in_a_cache(turned | scores | seen->second);
  if (model.softcap > 0) throw std::invalid_argument(sight + " is not compiled with a softcap");
  if (sight == "streaming") return in_a_cache(streaming_llm(4, m - 4, scores, turned));
  if (sight == "dual_chunk") return in_a_cache(dual_chunk(3 * m / 4, m, scores, turned));
  if (sight == "lm_infinite") return in_rows(lm_infinite(m, 10, scores, turned));
  if (sight == "rerope") return in_rows(rerope(m / 2, scores, turned));
  // SelfExtend: groups of as many tokens as it takes for none to be farther than was trained.
  const index_t window = m / 4, beyond = std::max<index_t>(length - window, 1);
  return in_rows(self_extend((beyond + m - window - 1) / (m - window), window, scores, turned));
}

}  // namespace pretrained
