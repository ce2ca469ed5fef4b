#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "../model/heads.hpp"
#include "cache.hpp"
#include "linear.hpp"

namespace engine {

// Rows of RMS 1 times a gain, in stretches of as many channels as there are gains. Does nothing where the model has no such norm.
class norm {
 public:
  norm() = default;
  norm(const weights& from, const std::string& name, const config& of) : epsilon_(float(of.epsilon)) {
    if (!from.has(name + ".weight")) return;
    const stored& gain = from[name + ".weight"];
    gain_.resize(gain.rows);
    gain.read(0, gain.rows, gain_.data());
    gain_ += float(of.norm_offset);
  }

  void in_place(Eigen::Ref<Matrix, 0, Eigen::OuterStride<>> rows) const {
    if (gain_.size() == 0) return;
    for (index_t row = 0; row < rows.rows(); ++row)
      for (index_t at = 0; at < rows.cols(); at += gain_.size()) {
        auto x = rows.row(row).segment(at, gain_.size()).array();
        x *= gain_ / std::sqrt(x.square().mean() + epsilon_);
      }
  }
  Matrix operator()(Matrix rows) const {
    in_place(rows);
    return rows;
  }

 private:
  Eigen::Array<float, 1, Eigen::Dynamic> gain_;
  float epsilon_ = 0;
};

// One layer: x + attention, then x + feed-forward. Where a family has norms is where it has their tensors.
class layer {
 public:
  layer(const weights& from, const config& of, const std::string& name) : of_(&of) {
    const std::string own = name + ".self_attn.", mlp = name + ".mlp.";
    const bool fused = from.has(own + "qkv_proj.weight");  // Phi 3
    const bool outer = of.type == "olmo2" || of.type == "olmo3", sandwich = from.has(name + ".pre_feedforward_layernorm.weight");
    using names = std::vector<std::string>;
    attention_in_ = {from, fused ? names{own + "qkv_proj"} : names{own + "q_proj", own + "k_proj", own + "v_proj"}};
    feed_in_ = {from, fused ? names{mlp + "gate_up_proj"} : names{mlp + "gate_proj", mlp + "up_proj"}};
    attention_out_ = {from, {own + "o_proj"}}, feed_out_ = {from, {mlp + "down_proj"}};
    query_norm_ = {from, own + "q_norm", of}, key_norm_ = {from, own + "k_norm", of};
    const auto named = [&](const std::string& each) { return norm(from, name + "." + each, of); };
    if (!outer) before_attention_ = named("input_layernorm");
    if (outer || sandwich)
      after_attention_ = named("post_attention_layernorm"), after_feed_ = named("post_feedforward_layernorm");
    if (!outer) before_feed_ = named(sandwich ? "pre_feedforward_layernorm" : "post_attention_layernorm");
  }

  void operator()(const team& threads, Matrix& x, const sentence& by, auto& past) const {
    const index_t queries = of_->heads * of_->channels, keys = of_->key_heads * of_->channels;
    Matrix all(x.rows(), queries + 2 * keys), seen(x.rows(), queries);
    by_rows(threads, x.rows(), [&](const team& own, index_t first, index_t count) {
      auto rows = all.middleRows(first, count);
      rows = attention_in_(own, before_attention_(x.middleRows(first, count)));
      query_norm_.in_place(rows.leftCols(queries)), key_norm_.in_place(rows.middleCols(queries, keys));
    });
    const auto heads = [&](Matrix& of, index_t count, index_t first) {
      return model::heads_of(of, x.rows(), count, of_->channels, first);
    };
    past.append(threads, heads(all, of_->key_heads, queries), heads(all, of_->key_heads, queries + keys));
    attend(threads, by, heads(all, of_->heads, 0), past, heads(seen, of_->heads, 0));
    by_rows(threads, x.rows(), [&](const team& own, index_t first, index_t count) {
      auto rows = x.middleRows(first, count);
      rows += after_attention_(attention_out_(own, seen.middleRows(first, count)));
      rows += after_feed_(feed_out_(own, gated(own, before_feed_(rows))));
    });
  }

 private:
  // One row is the work of all threads; of many each takes some through all steps, four times or more, so that none waits for another. Eigen
  // packs the weights anew each time: its products of 128 rows reach 58 to 63 % of the multiply-add peak, of 256 69 (Emerald Rapids).
  static void by_rows(const team& threads, index_t rows, const auto& work) {
    if (rows == 1) return work(threads, 0, 1);
    const index_t turns = threads.threads() == 1 ? 1 : 4 * threads.threads();
    const index_t some = std::clamp<index_t>(rows / turns, 128, 256);
    static const team alone(1);
    threads.share((rows + some - 1) / some, [&](index_t item) { work(alone, some * item, std::min(some, rows - some * item)); });
  }

  Matrix gated(const team& threads, const Matrix& x) const {
    const Matrix both = feed_in_(threads, x);
    const index_t width = both.cols() / 2;
    const auto gate = both.leftCols(width).array(), up = both.rightCols(width).array();
    if (of_->gelu) return 0.5f * gate * (1 + (0.7978845608f * (gate + 0.044715f * gate.cube())).tanh()) * up;
    return gate / (1 + (-gate).exp()) * up;
  }

  const config* of_;
  linear attention_in_, feed_in_, attention_out_, feed_out_;
  norm query_norm_, key_norm_, before_attention_, after_attention_, before_feed_, after_feed_;
};

// A Llama-like model of a folder that Hugging Face ships.
class transformer {
 public:
  explicit transformer(const std::filesystem::path& folder) : config_(folder), weights_(folder) {
    embedding_ = weights_["model.embed_tokens.weight"];
    head_ = {weights_, {weights_.has("lm_head.weight") ? "lm_head" : "model.embed_tokens"}};
    norm_ = {weights_, "model.norm", config_};
    for (index_t each = 0; each < config_.layers; ++each)
      layers_.emplace_back(weights_, config_, "model.layers." + std::to_string(each));
  }
  transformer(const transformer&) = delete;

  const engine::config& config() const { return config_; }

  // The last layer's rows of the tokens behind the past: caches, or what else attend() knows, of each layer. Layer i reads by by[i].
  template <class Past>
  Matrix operator()(const team& threads, std::span<const index_t> tokens, std::span<const sentence> by,
                    std::span<Past> past) const {
    Matrix x(index_t(tokens.size()), config_.hidden);
    for (index_t t = 0; t < x.rows(); ++t) {
      const index_t token = tokens[std::size_t(t)];
      if (token < 0 || token >= embedding_.rows) throw std::out_of_range("no such token: " + std::to_string(token));
      embedding_.read(token, 1, &x(t, 0));
    }
    x *= float(config_.embedding_factor);
    for (std::size_t i = 0; i < layers_.size(); ++i) layers_[i](threads, x, by[i], past[i]);
    return x;
  }

  Matrix logits(const team& threads, const Matrix& rows) const {
    Matrix made = head_(threads, norm_(rows));
    const float cap = float(config_.logit_softcap);
    if (cap > 0) made = cap * (made.array() / cap).tanh();
    return made;
  }

 private:
  engine::config config_;
  weights weights_;
  stored embedding_;
  linear head_;
  norm norm_;
  std::vector<layer> layers_;
};

}  // namespace engine
