#pragma once

#include <algorithm>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "survey.hpp"

namespace pretrained {

struct measurement : survey::settings {
  double times = 1.5;                         // the trained length
  index_t step = 2048, every = 4, texts = 1;  // tokens to a column, one of so many is measured, in so many pieces of the text
};

// Nats per token by position, for some mechanisms; and what a temperature adds to each, token by token.
inline void perplexity(const studied_model& of, const team& threads, std::span<const index_t> tokens, const measurement& how) {
  const index_t trained = of.config().trained, longest = index_t(how.times * double(trained));
  if (index_t(tokens.size()) <= longest)
    throw std::runtime_error("the text has " + std::to_string(tokens.size()) + " tokens, too few for " + std::to_string(longest));
  std::vector<index_t> lengths;
  for (index_t at = how.step; at < longest + how.step; at += how.step) lengths.push_back(std::min(at, longest));
  model::by_length table(how.results / "pretrained.csv", "nats per token", lengths);
  survey by(of, threads, how, longest);
  for (index_t n = 0; n < how.texts; ++n) {
    const auto piece =
        tokens.subspan(std::size_t(n * (index_t(tokens.size()) - longest - 1) / std::max<index_t>(how.texts - 1, 1)));
    const auto measure = [&](const std::vector<std::string>& names, index_t first, const Matrix& rows) {
      using some_rows = Eigen::Map<const Matrix, 0, Eigen::OuterStride<>>;
      const index_t some = (rows.rows() + how.every - 1) / how.every;
      const Matrix logits =
          by.text().logits(some_rows(rows.data(), some, rows.cols(), Eigen::OuterStride<>(how.every * rows.cols())));
      for (index_t row = 0; row < logits.rows(); ++row) {
        const index_t at = first + row * how.every;
        const double loss = loss_of(logits.row(row), piece[std::size_t(at + 1)]);
        for (const std::string& name : names) table.add(name, std::size_t(at / how.step), loss);
      }
    };
    by.for_each(piece, std::min(trained, longest), measure, [&](const mechanism& way) {
      by.advance(way, piece, longest, [&](index_t first, const Matrix& rows) { measure({way.name}, first, rows); });
      table.write();
    });
  }
  table.print();
  const std::vector<mechanism> ways(how.mechanisms.begin(), how.mechanisms.end());
  for (const mechanism& way : ways)
    for (const mechanism& plain : ways)
      if (way.temperature != "none" && plain.temperature == "none" && plain.positions == way.positions &&
          plain.sight == way.sight)
        table.print_more(way.name, plain.name);
}

}  // namespace pretrained
