#pragma once

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "generate.hpp"

namespace pretrained {

// A text that is read in pieces by one mechanism, and may be cut back.
class reader {
 public:
  reader(const model& of, const team& threads, index_t room) : of_(of), threads_(threads) {
    const config& c = of.config();
    for (index_t layer = 0; layer < c.layers; ++layer) past_.push_back(keep_rows(c.key_heads, c.channels, room));
  }

  index_t length() const { return length_; }
  void truncate(index_t length) {
    length_ = length;
    for (const auto& each : past_) each->truncate(length);
  }

  // The last rows of the tokens that follow. Rescalings that do not grow with the text are those for `longest` tokens.
  Matrix read(const mechanism& way, std::span<const index_t> tokens, index_t longest) {
    length_ += index_t(tokens.size());
    const index_t length = way.positions == "dynamic_ntk" ? length_ : longest;
    return of_(
        threads_, tokens, [&](index_t layer) { return way.read(of_.config(), of_.config().kinds[std::size_t(layer)], length); },
        past_);
  }
  Matrix logits(const Matrix& rows) const { return of_.logits(threads_, rows); }

 private:
  const model& of_;
  const team& threads_;
  std::vector<std::unique_ptr<kept>> past_;
  index_t length_ = 0;
};

// What a token costs, in nats.
inline double loss_of(const Eigen::Ref<const Eigen::RowVectorXf>& logits, index_t token) {
  const auto z = logits.cast<double>().array();
  const double most = z.maxCoeff();
  return most + std::log((z - most).exp().sum()) - z(token);
}

// Of losses: their mean and its standard error.
struct summary {
  double sum = 0, squares = 0;
  index_t count = 0;
  void add(double x) { sum += x, squares += x * x, ++count; }
  double mean() const { return sum / double(count); }
  double error() const {
    return std::sqrt(std::max(squares / double(count) - mean() * mean(), 0.0) / double(std::max<index_t>(count - 1, 1)));
  }
};

struct measurement {
  std::vector<std::string> mechanisms;
  index_t longest, step = 1024, block = 512, every = 4, texts = 1;
  std::filesystem::path results;
};

// Nats per token by position, for some mechanisms. Rows of the table are stretches of `step` tokens.
class perplexity {
 public:
  perplexity(const model& of, const team& threads, measurement how)
      : trained_(of.config().trained), how_(std::move(how)), reader_(of, threads, how_.longest) {
    for (const std::string& name : how_.mechanisms) ways_.emplace_back(name);
    losses_.resize(ways_.size(), std::vector<summary>(std::size_t((how_.longest + how_.step - 1) / how_.step)));
  }

  void measure(std::span<const index_t> tokens) {
    if (index_t(tokens.size()) < how_.longest + 1)
      throw std::runtime_error("the text has " + std::to_string(tokens.size()) + " tokens, too few for " +
                               std::to_string(how_.longest));
    for (index_t text = 0; text < how_.texts; ++text) {
      const index_t first = how_.texts < 2 ? 0 : text * (index_t(tokens.size()) - how_.longest - 1) / (how_.texts - 1);
      one_text(tokens.subspan(std::size_t(first)));
      write();
    }
    print();
  }

 private:
  // What mechanisms read alike, the first tokens, is read once.
  void one_text(std::span<const index_t> tokens) {
    const index_t shared = std::min(trained_, how_.longest);
    std::vector<summary> of_prefix(losses_[0].size());
    bool read = false;
    for (const bool alike : {true, false})
      for (std::size_t each = 0; each < ways_.size(); ++each) {
        if (ways_[each].begins_as_trained() != alike) continue;
        if (alike && !read) reader_.truncate(0), advance(mechanism("as_trained"), tokens, shared, of_prefix), read = true;
        reader_.truncate(alike ? shared : 0);
        if (alike)
          for (std::size_t row = 0; row < of_prefix.size(); ++row) add(losses_[each][row], of_prefix[row]);
        advance(ways_[each], tokens, how_.longest, losses_[each]);
      }
  }
  static void add(summary& to, const summary& more) { to.sum += more.sum, to.squares += more.squares, to.count += more.count; }

  void advance(const mechanism& way, std::span<const index_t> tokens, index_t until, std::vector<summary>& into) {
    while (reader_.length() < until) {
      const index_t first = reader_.length(), count = std::min(how_.block, until - first);
      const double began = seconds();
      const Matrix rows = reader_.read(way, tokens.subspan(std::size_t(first), std::size_t(count)), how_.longest);
      const index_t some = (count + how_.every - 1) / how_.every;
      Matrix asked(some, rows.cols());
      for (index_t row = 0; row < some; ++row) asked.row(row) = rows.row(row * how_.every);
      const Matrix logits = reader_.logits(asked);
      for (index_t row = 0; row < some; ++row) {
        const index_t at = first + row * how_.every;
        into[std::size_t(at / how_.step)].add(loss_of(logits.row(row), tokens[std::size_t(at + 1)]));
      }
      std::fprintf(stderr, "\r%-28s %6td of %td tokens, %5.0f a second ", way.name.c_str(), first + count, how_.longest,
                   double(count) / (seconds() - began));
    }
  }

  void write() const {
    std::ofstream csv(how_.results / "pretrained.csv");
    csv << "tokens";
    for (const mechanism& way : ways_) csv << ',' << way.name << ",standard error";
    for (std::size_t row = 0; row < losses_[0].size(); ++row) {
      csv << '\n' << std::min(how_.longest, index_t(row + 1) * how_.step);
      for (const auto& own : losses_) csv << ',' << own[row].mean() << ',' << own[row].error();
    }
    if (!(csv << '\n').flush()) throw std::runtime_error("cannot write to " + how_.results.string());
  }
  void print() const {
    std::printf("%-28s", "nats per token up to");
    for (std::size_t row = 0; row < losses_[0].size(); ++row)
      std::printf("%8td", std::min(how_.longest, index_t(row + 1) * how_.step));
    for (std::size_t each = 0; each < ways_.size(); ++each) {
      std::printf("\n%-28s", ways_[each].name.c_str());
      for (const summary& one : losses_[each]) std::printf("%8.3f", one.mean());
    }
    std::printf("\n");
  }

  index_t trained_;
  measurement how_;
  reader reader_;
  std::vector<mechanism> ways_;
  std::vector<std::vector<summary>> losses_;  // of each mechanism, by position
};

}  // namespace pretrained
