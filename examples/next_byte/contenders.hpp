#pragma once

#include "experiment.hpp"
#include "table.hpp"

// The mechanisms of the two papers and their baselines. A temperature is chosen once, at the trained length m, for each way to
// score a match; LogN, InfoScale and YaRN change nothing at m and so inherit it. Beyond m nothing is chosen again.

// Content alone: a match counts the same wherever it stands.
inline void content_rows(experiment& x, table& out) {
  using namespace longspan;
  const index_t m = x.trained();

  const auto plain = [](double t, index_t) { return dot_product{} | temperature{t}; };
  const double t = x.choose(plain, m);
  out.row("plain, window of m", t, plain, m);
  out.row("plain", t, plain);
  out.row("InfoScale", t, [=](double, index_t) { return plain(t, m) | info_scale{.trained = m}; });
  out.row("LogN", t, [=](double, index_t) { return plain(t, m) | log_n{.trained = m}; });
  out.row_at_best("plain, T chosen anew", plain);

  // T = 1 stands for S = sqrt(d): the logits of a dot product whose rows all have the same norm.
  const auto cosines = [](double t, index_t) { return cosine{} | cos_scale{t * std::sqrt(double(channels))}; };
  const double s = x.choose(cosines, m);
  out.row("CosScale", s, cosines);
  out.row("CosScale + InfoScale", s, [=](double, index_t) { return cosines(s, m) | info_scale{.trained = m}; });
}

// Distance enters through the logits.
inline void distance_rows(experiment& x, table& out) {
  using namespace longspan;
  const index_t m = x.trained();

  const auto invariant = [](double t, index_t) { return rms_normalize{} | dot_product{} | temperature{t} | scale_invariant{}; };
  out.row("scale-invariant", x.choose(invariant, m), invariant);

  const auto linear = [](double t, index_t) { return dot_product{} | temperature{t} | alibi{}; };
  out.row("ALiBi", x.choose(linear, m), linear);
}

// Distance enters through rotation. Trained rows learn which channels to keep for content; hashed ones spread it over all, and
// what turns fast is lost to a far match. p-RoPE leaves three channels of four alone.
inline void rotated_rows(experiment& x, table& out) {
  using namespace longspan;
  const index_t m = x.trained();

  const auto turned = [](double t, index_t) { return rope{} | dot_product{} | temperature{t}; };
  const double t = x.choose(turned, m);
  out.row("RoPE", t, turned);
  out.row("RoPE, YaRN", t, [=](double, index_t n) {
    return rope{}.yarn({.factor = double(n) / double(m), .trained = m}) | dot_product{} | temperature{t};
  });

  const auto partly = [](double t, index_t) { return p_rope{.fraction = 0.25} | dot_product{} | temperature{t}; };
  const double p = x.choose(partly, m);
  out.row("p-RoPE 1/4", p, partly);
  out.row("p-RoPE 1/4, LogN", p, [=](double, index_t) { return partly(p, m) | log_n{.trained = m}; });

  const auto both = [](double t, index_t) {
    return rms_normalize{} | p_rope{.fraction = 0.25} | dot_product{} | temperature{t} | scale_invariant{};
  };
  out.row("p-RoPE 1/4, scale-invariant", x.choose(both, m), both);
}
