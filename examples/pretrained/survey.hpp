#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "../model/by_length.hpp"
#include "../model/seconds.hpp"
#include "text.hpp"

namespace pretrained {

// What a token costs, in nats.
inline double loss_of(const Eigen::Ref<const Eigen::RowVectorXf>& logits, index_t token) {
  const auto z = logits.cast<double>().array();
  const double most = z.maxCoeff();
  return most + std::log((z - most).exp().sum()) - z(token);
}

// A text of `longest` tokens that several mechanisms read, one after the other.
class survey {
 public:
  struct settings {
    std::vector<std::string> mechanisms = {"as_trained", "info_scale", "streaming", "dynamic_ntk", "dynamic_ntk+info_scale"};
    index_t block = 512;  // tokens that are read at a time
    std::filesystem::path results = ".";
  };

  // `more` tokens are asked for behind it.
  survey(const studied_model& of, const team& threads, settings how, index_t longest, index_t more = 0)
      : how_(std::move(how)),
        longest_(longest),
        text_(of, threads, longest + more, std::vector(of.config().kinds.size(), rows(of.config(), longest + more))) {}

  pretrained::text<rows>& text() { return text_; }
  index_t longest() const { return longest_; }

  // Reads on until the text is so long; seen(first, rows) is told of every block, which begins with token `first`.
  void advance(const mechanism& way, std::span<const index_t> tokens, index_t until, const auto& seen) {
    while (text_.length() < until) {
      const index_t first = text_.length(), count = std::min(how_.block, until - first);
      const double began = model::seconds();
      seen(first, text_.read(way, tokens.subspan(std::size_t(first), std::size_t(count)), longest_));
      std::fprintf(stderr, "\r%-28s %6td of %td tokens, %5.0f a second ", way.name.c_str(), first + count, longest_,
                   double(count) / (model::seconds() - began));
    }
  }

  // then(way) for every mechanism, with a text of its own first `shared` tokens, or of none: those that all read as trained are read once,
  // and shown to begun(names, first, rows).
  void for_each(std::span<const index_t> tokens, index_t shared, const auto& begun, const auto& then) {
    std::vector<std::string> alike, others;
    std::ranges::partition_copy(how_.mechanisms, std::back_inserter(alike), std::back_inserter(others),
                                [](const std::string& name) { return mechanism(name).begins_as_trained(); });
    text_.truncate(0);
    if (!alike.empty())
      advance(mechanism("as_trained"), tokens, shared, [&](index_t first, const Matrix& rows) { begun(alike, first, rows); });
    for (const std::string& name : alike) text_.truncate(shared), then(mechanism(name));
    for (const std::string& name : others) text_.truncate(0), then(mechanism(name));
  }

 private:
  settings how_;
  index_t longest_;
  pretrained::text<rows> text_;
};

}  // namespace pretrained
