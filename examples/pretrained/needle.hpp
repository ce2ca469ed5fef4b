#pragma once

#include <cstdio>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include "perplexity.hpp"

namespace pretrained {

// Facts hidden in a long text at several depths, each asked for behind it: a text is read once for all of them.
struct hidden_fact {
  std::vector<index_t> statement, question, answer;
};

// A line a fact: its statement, the question and the answer as numbers of tokens, each list ended by -1.
inline std::vector<hidden_fact> facts_of(const std::filesystem::path& file) {
  std::ifstream from(file);
  std::vector<hidden_fact> made;
  const auto list = [&](std::vector<index_t>& to) {
    for (index_t token; from >> token && token >= 0;) to.push_back(token);
    return bool(from);
  };
  for (hidden_fact next; list(next.statement) && list(next.question) && list(next.answer); next = {}) made.push_back(next);
  if (made.empty()) throw std::runtime_error("no facts in " + file.string());
  return made;
}

class needle {
 public:
  struct settings {
    std::vector<std::string> mechanisms;
    std::vector<double> times;  // the trained length, ascending
    index_t block;
    std::filesystem::path results;
  };

  needle(const model& of, const team& threads, settings how)
      : trained_(of.config().trained), how_(std::move(how)), reader_(of, threads, at(how_.times.back()) + 256) {}

  // The share of the answers' tokens that is found, by mechanism and length. What mechanisms read alike, the first tokens, is read once.
  void measure(std::vector<index_t> text, const std::vector<hidden_fact>& facts) {
    const std::vector<index_t> places = hide(text, facts);
    std::ofstream csv(how_.results / "pretrained_needle.csv");
    csv << "mechanism,tokens,share found,nats per token,tokens asked\n";
    std::printf("%-28s", "found, nats; behind tokens");
    for (const double times : how_.times) std::printf("%13td", at(times));
    const mechanism as_trained("as_trained");
    read_until(as_trained, text, std::min(trained_, at(how_.times.front())));
    const index_t shared = reader_.length();
    for (const bool alike : {true, false})
      for (const std::string& name : how_.mechanisms) {
        const mechanism way(name);
        if (way.begins_as_trained() != alike) continue;
        reader_.truncate(alike ? shared : 0);
        std::printf("\n%-28s", name.c_str());
        for (const double times : how_.times) {
          read_until(way, text, at(times));
          answered of;
          for (std::size_t each = 0; each < facts.size(); ++each)
            if (places[each] <= at(times)) ask(way, facts[each], of);
          std::printf("%5.0f %% %5.2f", 100 * of.share(), of.loss()), std::fflush(stdout);
          csv << name << ',' << at(times) << ',' << of.share() << ',' << of.loss() << ',' << of.tokens << '\n' << std::flush;
        }
      }
    std::printf("\n");
  }

 private:
  index_t at(double times) const { return index_t(times * double(trained_)); }

  // Puts the facts into the text, evenly, and cuts it; where each ends.
  std::vector<index_t> hide(std::vector<index_t>& text, const std::vector<hidden_fact>& facts) const {
    const index_t longest = at(how_.times.back()), apart = longest / index_t(facts.size());
    if (index_t(text.size()) < longest) throw std::runtime_error("the text has too few tokens to hide facts in");
    std::vector<index_t> ends;
    for (const hidden_fact& fact : facts) {
      const auto place = text.begin() + index_t(ends.size()) * apart + apart / 2;
      text.insert(place, fact.statement.begin(), fact.statement.end());
      ends.push_back(index_t(ends.size()) * apart + apart / 2 + index_t(fact.statement.size()));
    }
    text.resize(std::size_t(longest));
    return ends;
  }

  void read_until(const mechanism& way, std::span<const index_t> text, index_t until) {
    while (reader_.length() < until) {
      const index_t count = std::min(how_.block, until - reader_.length());
      reader_.read(way, text.subspan(std::size_t(reader_.length()), std::size_t(count)), at(how_.times.back()));
      std::fprintf(stderr, "\r%-28s %6td tokens ", way.name.c_str(), reader_.length());
    }
  }

  // Of the tokens of answers: how many are the likeliest where those before them are given, and their loss.
  struct answered {
    index_t tokens = 0, found = 0;
    double nats = 0;
    double share() const { return double(found) / double(tokens); }
    double loss() const { return nats / double(tokens); }
  };

  // What was read stays as it was.
  void ask(const mechanism& way, const hidden_fact& fact, answered& of) {
    const index_t length = reader_.length(), count = index_t(fact.answer.size());
    std::vector<index_t> asked = fact.question;
    asked.insert(asked.end(), fact.answer.begin(), fact.answer.end() - 1);
    const Matrix rows = reader_.read(way, asked, at(how_.times.back()));
    reader_.truncate(length);
    const Matrix logits = reader_.logits(rows.bottomRows(count));
    for (index_t row = 0; row < count; ++row) {
      const index_t token = fact.answer[std::size_t(row)];
      of.nats += loss_of(logits.row(row), token), of.found += logits.row(row).maxCoeff() == logits(row, token), ++of.tokens;
    }
  }

  index_t trained_;
  settings how_;
  reader reader_;
};

}  // namespace pretrained
