#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <longspan/position/partial_rotary.hpp>
#include <nlohmann/json.hpp>

namespace engine {

using longspan::index_t;
using json = nlohmann::json;

inline json read_json(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error("cannot read " + file.string());
  return json::parse(stream);
}

// An entry, or what stands for one that is missing or null.
template <class T>
T entry(const json& said, const char* name, T otherwise) {
  return said.contains(name) && !said[name].is_null() ? said[name].get<T>() : otherwise;
}

// How the rows of one kind of layer turn: the entries of `rope_parameters`, or of `rope_scaling` and `rope_theta` in older files.
inline longspan::ladder frequencies(const json& rope, double base, index_t channels, index_t trained, const char* divisors) {
  const longspan::partial_rotary plain{.fraction = entry(rope, "partial_rotary_factor", 1.0),
                                       .base = entry(rope, "rope_theta", base)};
  const auto kind = entry(rope, "rope_type", entry(rope, "type", std::string("default")));
  const index_t original = entry(rope, "original_max_position_embeddings", trained);
  std::optional<double> magnitude;
  if (rope.contains("attention_factor")) magnitude = rope["attention_factor"].get<double>();
  if (kind == "default" || kind == "dynamic") return plain.frequencies(channels);
  if (kind == "linear") return plain.interpolate(rope.at("factor")).frequencies(channels);
  if (kind == "llama3")
    return plain.llama3({rope.at("factor"), entry(rope, "low_freq_factor", 1.0), entry(rope, "high_freq_factor", 4.0), original})
        .frequencies(channels);
  if (kind == "yarn")
    return plain
        .yarn({rope.at("factor"), original, entry(rope, "beta_slow", 1.0), entry(rope, "beta_fast", 32.0), true,
               entry(rope, "truncate", true), magnitude})
        .frequencies(channels);
  if (kind == "longrope")
    return plain.longrope({rope.at(divisors), double(trained) / double(original), original, magnitude}).frequencies(channels);
  throw std::runtime_error("config.json: no such rope_type here: " + kind);
}

// A kind of layers: how its rows turn, and how far a row sees.
struct layer_kind {
  longspan::ladder rungs;
  index_t window = 0;                        // 0: as far as there are keys
  index_t few = 0;                           // LongRoPE turns texts of up to so many tokens
  std::optional<longspan::ladder> of_few{};  // in another way

  bool operator==(const layer_kind&) const = default;
};

// What config.json says of a Llama-like model; what its tensors say, norms and biases among it, is asked of them.
struct config {
  std::string type;
  index_t hidden, layers, heads, key_heads, channels, trained;
  std::vector<index_t> ends;  // tokens that end a text
  double epsilon, scale;
  double norm_offset, embedding_factor;  // Gemma's norms keep gain - 1, and its embeddings grow by sqrt(hidden)
  double softcap, logit_softcap;         // Gemma 2; 0: none
  bool gelu;                             // in the place of silu
  std::vector<layer_kind> kinds;         // one a layer

  explicit config(const std::filesystem::path& folder) : config(read_json(folder / "config.json")) {}
  explicit config(const json& said)
      : type(said.at("model_type")),
        hidden(said.at("hidden_size")),
        layers(said.at("num_hidden_layers")),
        heads(said.at("num_attention_heads")),
        key_heads(entry(said, "num_key_value_heads", heads)),
        channels(entry(said, "head_dim", hidden / heads)),
        trained(said.at("max_position_embeddings")),
        ends(ends_of(entry(said, "eos_token_id", json::array()))),
        epsilon(entry(said, "rms_norm_eps", 1e-6)),
        scale(1 / std::sqrt(entry(said, "query_pre_attn_scalar", double(channels)))),
        norm_offset(type.starts_with("gemma") ? 1 : 0),
        embedding_factor(type.starts_with("gemma") ? std::sqrt(double(hidden)) : 1),
        softcap(entry(said, "attn_logit_softcapping", 0.0)),
        logit_softcap(entry(said, "final_logit_softcapping", 0.0)),
        gelu(entry(said, "hidden_activation", entry(said, "hidden_act", std::string("silu"))).starts_with("gelu")) {
    // Families that differ from Llama's in what is read here and in their tensors alone.
    constexpr std::array known{"llama",  "mistral",     "qwen2", "qwen3", "smollm3", "gemma",
                               "gemma2", "gemma3_text", "olmo2", "olmo3", "phi3"};
    if (std::ranges::find(known, type) == known.end()) throw std::runtime_error("models of type " + type + " are not read here");
    for (index_t layer = 0; layer < layers; ++layer) kinds.push_back(kind_of(said, std::size_t(layer)));
  }

 private:
  static std::vector<index_t> ends_of(const json& said) { return said.is_array() ? said : json::array({said}); }

  layer_kind kind_of(const json& said, std::size_t layer) const {
    const json none = json::array(), types = entry(said, "layer_types", none), turned = entry(said, "no_rope_layers", none);
    const auto name = types.empty() ? std::string() : types.at(layer).get<std::string>();
    const bool local = name.empty() ? type == "mistral" || type == "phi3" : name == "sliding_attention";
    layer_kind made;
    if (local) made.window = entry(said, "sliding_window", index_t(0));
    if (!turned.empty() && turned.at(layer) == 0) return made;  // NoPE: no pair turns
    json rope = entry(said, "rope_parameters", entry(said, "rope_scaling", json::object()));
    double theta = entry(said, "rope_theta", 10000.0);
    if (rope.contains(name)) {
      rope = rope[name];
    } else if (name == "sliding_attention" && said.contains("rope_local_base_freq")) {
      rope = json::object(), theta = said["rope_local_base_freq"];
    }
    if (said.contains("partial_rotary_factor")) rope["partial_rotary_factor"] = said["partial_rotary_factor"];
    made.rungs = frequencies(rope, theta, channels, trained, "long_factor");
    if (rope.contains("short_factor")) {
      made.few = entry(rope, "original_max_position_embeddings", entry(said, "original_max_position_embeddings", trained));
      made.of_few = frequencies(rope, theta, channels, trained, "short_factor");
    }
    return made;
  }
};

}  // namespace engine
