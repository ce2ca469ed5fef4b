// How a growing CosScale turns cosine attention with RoPE into windowed attention (arXiv 2501.08570, section 3.3): the weight within a
// window, and the mean distance that is attended to, against the scale S.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>

#include <CLI/CLI.hpp>
#include <longspan/longspan.hpp>

#include "../program.hpp"

using Eigen::Index;
using Tensor = Eigen::Tensor<float, 4, Eigen::RowMajor>;

// Rows of all tokens and heads share a direction, as those of trained models do, whose queries and keys point one way on average: the
// cosine of two rows at the same place is about `alike`, and RoPE turns that into a function of the distance.
Tensor alike_rows(Index heads, Index tokens, Index channels, double alike) {
  static std::mt19937 source(1);
  std::normal_distribution<float> normal;
  const auto shared = float(std::sqrt(alike)), own = float(std::sqrt(1 - alike));
  Tensor rows(1, heads, tokens, channels);
  for (Index i = 0; i < rows.size(); ++i) rows.data()[i] = shared + own * normal(source);
  return rows;
}

struct measured {
  double within[3], distance;
};
constexpr Index windows[3] = {16, 64, 256};

// Of the last tokens of a text of `keys` tokens, 64 queries in each of 8 heads.
measured measure(double scale, Index keys, Index channels, double alike) {
  using namespace longspan;
  const Tensor q = alike_rows(8, 64, channels, alike), k = alike_rows(8, keys, channels, alike);
  Tensor place(1, 8, keys, 1);
  for (Index i = 0; i < place.size(); ++i) place.data()[i] = float(i % keys);  // the mean value is the mean place attended to
  const auto scores = rope{} | cosine{} | cos_scale{scale};
  const auto all = forward(scores | causal{}, q, k, place);
  measured of{};
  const double rows = double(all.log_sum_exp.size());
  for (Index r = 0; r < all.log_sum_exp.size(); ++r)
    of.distance += (double(keys - 64 + r % 64) - double(all.output.data()[r])) / rows;
  for (int w = 0; w < 3; ++w) {
    const auto near = forward(scores | sliding_window{windows[w] - 1}, q, k, place).log_sum_exp;
    for (Index r = 0; r < near.size(); ++r)
      of.within[w] += std::exp(double(near.data()[r]) - double(all.log_sum_exp.data()[r])) / rows;
  }
  return of;
}

// Prints the table and writes it.
int run(const std::filesystem::path& results, Index keys, Index channels, double alike) {
  if (channels % 2 != 0) throw std::invalid_argument("RoPE turns pairs of channels: --channels must be even");
  std::ofstream file(results / "cos_scale_window.csv");
  file << "scale,within 16,within 64,within 256,mean distance\n";
  std::printf("%8s%12s%12s%12s%16s\n", "scale", "within 16", "within 64", "within 256", "mean distance");
  for (double scale = 1; scale <= 512; scale *= 2) {
    const auto [within, distance] = measure(scale, keys, channels, alike);
    std::printf("%8.0f%12.4f%12.4f%12.4f%16.1f\n", scale, within[0], within[1], within[2], distance);
    file << scale << ',' << within[0] << ',' << within[1] << ',' << within[2] << ',' << distance << '\n';
  }
  if (!file.flush()) throw std::runtime_error("cannot write to " + results.string());
  return 0;
}

int main(int count, char** words) {
  CLI::App app(
      "The window that CosScale makes of cosine attention with RoPE: weight within 16, 64 and 256 tokens and the mean distance,\n"
      "against the scale, in seconds.");
  std::filesystem::path results = ".";
  Index keys = 4096, channels = 128;
  double alike = 0.5;
  add_results(app, results);
  app.add_option("--keys", keys, "tokens of the text")->check(CLI::Range(512, 1 << 20))->capture_default_str();
  app.add_option("--channels", channels, "of a head, an even number")->check(CLI::Range(2, 1024))->capture_default_str();
  app.add_option("--alike", alike, "mean cosine of a query and a key that RoPE did not turn")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  CLI11_PARSE(app, count, words);
  return reporting("cos_scale_window", results, [&] { return run(results, keys, channels, alike); });
}
