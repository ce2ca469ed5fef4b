#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <longspan/longspan.hpp>
#include <nlohmann/json.hpp>

namespace pretrained {

using longspan::index_t;
using json = nlohmann::json;

inline json read_json(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error("cannot read " + file.string());
  return json::parse(stream);
}

// How the rows of one kind of layer turn: the entries of `rope_parameters`, or of `rope_scaling` and `rope_theta` in older files.
inline longspan::ladder frequencies(const json& rope, double base, index_t channels, index_t trained,
                                    const char* divisors = "long_factor") {
  const longspan::partial_rotary plain{.fraction = rope.value("partial_rotary_factor", 1.0),
                                       .base = rope.value("rope_theta", base)};
  const std::string kind = rope.value("rope_type", rope.value("type", std::string("default")));
  const auto number = [&](const char* name, double otherwise) { return rope.value(name, otherwise); };
  const index_t original = rope.value("original_max_position_embeddings", trained);
  const auto given = [&](const char* name) {
    return rope.contains(name) ? std::optional(rope.at(name).get<double>()) : std::nullopt;
  };
  if (kind == "default" || kind == "dynamic") return plain.frequencies(channels);
  if (kind == "linear") return plain.interpolate(rope.at("factor")).frequencies(channels);
  if (kind == "llama3")
    return plain.llama3({rope.at("factor"), number("low_freq_factor", 1), number("high_freq_factor", 4), original})
        .frequencies(channels);
  if (kind == "yarn")
    return plain
        .yarn({rope.at("factor"), original, number("beta_slow", 1), number("beta_fast", 32), true, rope.value("truncate", true),
               given("attention_factor")})
        .frequencies(channels);
  if (kind == "longrope")
    return plain.longrope({rope.at(divisors), double(trained) / double(original), original, given("attention_factor")})
        .frequencies(channels);
  throw std::runtime_error("config.json: no such rope_type here: " + kind);
}

// A kind of layers: how its rows turn, and how far a row sees.
struct layer_kind {
  longspan::ladder rungs;
  index_t window = 0;                        // 0: as far as there are keys
  index_t few = 0;                           // LongRoPE turns texts of up to so many tokens
  std::optional<longspan::ladder> of_few{};  // in another way
};

// What config.json says of a Llama-like model; what its tensors say, norms and biases among it, is asked of them.
struct config {
  std::string type;
  index_t hidden, layers, heads, key_heads, channels, trained, end;
  double epsilon, scale, base;
  double norm_offset = 0, embedding_factor = 1;  // Gemma's norms keep gain - 1, and its embeddings grow by sqrt(hidden)
  double softcap = 0, logit_softcap = 0;         // Gemma 2; 0: none
  bool gelu = false;                             // in the place of silu
  std::vector<layer_kind> kinds;                 // one a layer

  explicit config(const std::filesystem::path& folder) : config(read_json(folder / "config.json")) {}

  // Families that differ from Llama's in what is read here and in their tensors alone.
  static constexpr const char* known[] = {"llama",  "mistral",     "qwen2", "qwen3", "smollm3", "gemma",
                                          "gemma2", "gemma3_text", "olmo2", "olmo3", "phi3"};

  explicit config(const json& said)
      : type(said.at("model_type")),
        hidden(said.at("hidden_size")),
        layers(said.at("num_hidden_layers")),
        heads(said.at("num_attention_heads")),
        key_heads(said.value("num_key_value_heads", heads)),
        channels(said.contains("head_dim") && !said["head_dim"].is_null() ? said["head_dim"].get<index_t>() : hidden / heads),
        trained(said.at("max_position_embeddings")),
        end(first_of(said, "eos_token_id", -1)),
        epsilon(said.value("rms_norm_eps", 1e-6)),
        scale(1 / std::sqrt(said.value("query_pre_attn_scalar", double(channels)))) {
    if (std::find(std::begin(known), std::end(known), type) == std::end(known))
      throw std::runtime_error("models of type " + type + " are not read here");
    if (type.starts_with("gemma")) norm_offset = 1, embedding_factor = std::sqrt(double(hidden));
    softcap = number(said, "attn_logit_softcapping"), logit_softcap = number(said, "final_logit_softcapping");
    const std::string activation = said.value("hidden_activation", said.value("hidden_act", std::string("silu")));
    gelu = activation.starts_with("gelu");
    for (index_t layer = 0; layer < layers; ++layer) kinds.push_back(kind_of(said, layer));
  }

 private:
  static double number(const json& said, const char* name) {
    return said.contains(name) && said[name].is_number() ? said[name].get<double>() : 0;
  }
  static index_t first_of(const json& said, const char* name, index_t otherwise) {
    if (!said.contains(name) || said[name].is_null()) return otherwise;
    return said[name].is_array() ? said[name].at(0).get<index_t>() : said[name].get<index_t>();
  }

  layer_kind kind_of(const json& said, index_t layer) const {
    const std::string name = said.contains("layer_types") && !said["layer_types"].is_null()
                                 ? said["layer_types"].at(std::size_t(layer)).get<std::string>()
                                 : "";
    layer_kind made;
    if (const bool local = name.empty() ? type == "mistral" || type == "phi3" : name == "sliding_attention"; local)
      made.window = index_t(number(said, "sliding_window"));
    if (said.contains("no_rope_layers") && said["no_rope_layers"].is_array() &&
        said["no_rope_layers"].at(std::size_t(layer)) == 0)
      return made;  // NoPE: no pair turns
    json rope = json::object();
    for (const char* where : {"rope_scaling", "rope_parameters"})
      if (said.contains(where) && said[where].is_object()) rope = said[where];
    double theta = said.value("rope_theta", 10000.0);
    if (rope.contains(name)) {
      rope = rope[name];
    } else if (name == "sliding_attention" && said.contains("rope_local_base_freq")) {
      rope = json::object(), theta = said["rope_local_base_freq"];
    }
    if (said.contains("partial_rotary_factor")) rope["partial_rotary_factor"] = said["partial_rotary_factor"];
    made.rungs = frequencies(rope, theta, channels, trained);
    if (rope.contains("short_factor")) {
      made.few = rope.value("original_max_position_embeddings", said.value("original_max_position_embeddings", trained));
      made.of_few = frequencies(rope, theta, channels, trained, "short_factor");
    }
    return made;
  }
};

}  // namespace pretrained
