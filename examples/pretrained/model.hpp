#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "kept.hpp"
#include "linear.hpp"

namespace pretrained {

// Rows of RMS 1 times a gain, in stretches of as many channels as there are gains.
class norm {
 public:
  norm() = default;
  norm(const weights& from, const std::string& name, const config& of) : epsilon_(float(of.epsilon)) {
    if (!from.has(name + ".weight")) return;
    gain_ = from.vector(name + ".weight");
    for (float& gain : gain_) gain += float(of.norm_offset);
  }

  // Does nothing where the model has no such norm.
  void operator()(Matrix& rows) const {
    if (gain_.empty()) return;
    using stretch = Eigen::Map<Eigen::ArrayXf>;
    const auto width = index_t(gain_.size());
    const Eigen::Map<const Eigen::ArrayXf> gain(gain_.data(), width);
    for (index_t at = 0; at < rows.size(); at += width) {
      stretch x(rows.data() + at, width);
      x *= gain / std::sqrt(x.square().mean() + epsilon_);
    }
  }
  Matrix of(Matrix rows) const {
    (*this)(rows);
    return rows;
  }

 private:
  std::vector<float> gain_;
  float epsilon_ = 0;
};

// One layer: x + attention, then x + feed-forward. Where a family has norms is where it has their tensors.
class layer {
 public:
  layer(const weights& from, const config& of, const std::string& name) : of_(&of) {
    const std::string own = name + ".self_attn.", mlp = name + ".mlp.";
    const bool fused = from.has(own + "qkv_proj.weight");  // Phi 3
    const bool outer = of.type == "olmo2" || of.type == "olmo3", sandwich = from.has(name + ".pre_feedforward_layernorm.weight");
    for (const char* each : {"q_proj", "k_proj", "v_proj"})
      if (!fused) attention_in_.emplace_back(from, own + each);
    if (fused) attention_in_.emplace_back(from, own + "qkv_proj"), feed_in_.emplace_back(from, mlp + "gate_up_proj");
    if (!fused) feed_in_.emplace_back(from, mlp + "gate_proj"), feed_in_.emplace_back(from, mlp + "up_proj");
    attention_out_ = {from, own + "o_proj"}, feed_out_ = {from, mlp + "down_proj"};
    query_norm_ = {from, own + "q_norm", of}, key_norm_ = {from, own + "k_norm", of};
    const auto named = [&](const std::string& each) { return norm(from, name + "." + each, of); };
    before_attention_ = named("input_layernorm");
    if (outer || sandwich)
      after_attention_ = named("post_attention_layernorm"), after_feed_ = named("post_feedforward_layernorm");
    if (!outer) before_feed_ = named(sandwich ? "pre_feedforward_layernorm" : "post_attention_layernorm");
  }

  void operator()(const team& threads, Matrix& x, const reading& by, kept& past) const {
    add(threads, attend(threads, before_attention_.of(x), by, past), attention_out_, after_attention_, x);
    add(threads, gated(threads, before_feed_.of(x)), feed_out_, after_feed_, x);
  }

 private:
  static void add(const team& threads, const Matrix& made, const linear& out, const norm& after, Matrix& x) {
    x += after.of(out(threads, made));
  }

  static Matrix side_by_side(const team& threads, const std::vector<linear>& all, const Matrix& x) {
    if (all.size() == 1) return all[0](threads, x);
    index_t width = 0;
    for (const linear& each : all) width += each.outputs();
    Matrix made(x.rows(), width);
    width = 0;
    for (const linear& each : all) made.middleCols(width, each.outputs()) = each(threads, x), width += each.outputs();
    return made;
  }

  Matrix attend(const team& threads, const Matrix& x, const reading& by, kept& past) const {
    const index_t queries = of_->heads * of_->channels, keys = of_->key_heads * of_->channels;
    const Matrix all = side_by_side(threads, attention_in_, x);
    Matrix q = all.leftCols(queries), k = all.middleCols(queries, keys), v = all.rightCols(keys), output(x.rows(), queries);
    query_norm_(q), key_norm_(k);
    past.append(heads_of(std::as_const(k), of_->key_heads), heads_of(std::as_const(v), of_->key_heads));
    past.attend(threads, by, heads_of(std::as_const(q), of_->heads), heads_of(output, of_->heads));
    return output;
  }

  Matrix gated(const team& threads, const Matrix& x) const {
    Matrix both = side_by_side(threads, feed_in_, x);
    const index_t width = both.cols() / 2, rows = both.rows();
    Matrix made(rows, width);
    threads.share((rows + 15) / 16, [&](index_t item) {
      const index_t first = 16 * item, count = std::min<index_t>(16, rows - first);
      const auto gate = both.block(first, 0, count, width).array();
      const auto up = both.block(first, width, count, width).array();
      auto to = made.middleRows(first, count).array();
      if (of_->gelu)
        to = 0.5f * gate * (1 + (0.7978845608f * (gate + 0.044715f * gate.cube())).tanh()) * up;
      else
        to = gate / (1 + (-gate).exp()) * up;
    });
    return made;
  }

  const config* of_;
  std::vector<linear> attention_in_, feed_in_;
  linear attention_out_, feed_out_;
  norm query_norm_, key_norm_, before_attention_, after_attention_, before_feed_, after_feed_;
};

// A Llama-like model of a folder that Hugging Face ships.
class model {
 public:
  explicit model(const std::filesystem::path& folder) : config_(folder), weights_(folder) {
    embedding_ = weights_["model.embed_tokens.weight"];
    head_ = weights_.has("lm_head.weight") ? linear(weights_["lm_head.weight"]) : embedding_;
    norm_ = {weights_, "model.norm", config_};
    for (index_t each = 0; each < config_.layers; ++each)
      layers_.emplace_back(weights_, config_, "model.layers." + std::to_string(each));
  }
  model(const model&) = delete;

  const pretrained::config& config() const { return config_; }

  // The last layer's rows of the tokens that follow those kept; by(layer) is how a layer reads.
  Matrix operator()(const team& threads, std::span<const index_t> tokens, const std::function<reading(index_t)>& by,
                    std::span<const std::unique_ptr<kept>> past) const {
    Matrix x(index_t(tokens.size()), config_.hidden);
    for (index_t t = 0; t < x.rows(); ++t) {
      if (tokens[std::size_t(t)] < 0 || tokens[std::size_t(t)] >= embedding_.outputs()) throw std::out_of_range("no such token");
      embedding_.read(tokens[std::size_t(t)], &x(t, 0));
    }
    x *= float(config_.embedding_factor);
    for (std::size_t each = 0; each < layers_.size(); ++each) layers_[each](threads, x, by(index_t(each)), *past[each]);
    return x;
  }

  Matrix logits(const team& threads, Matrix rows) const {
    norm_(rows);
    Matrix made = head_(threads, rows);
    const float cap = float(config_.logit_softcap);
    if (cap > 0) made = cap * (made.array() / cap).tanh();
    return made;
  }

 private:
  pretrained::config config_;
  weights weights_;
  linear embedding_, head_;
  norm norm_;
  std::vector<layer> layers_;
};

}  // namespace pretrained
