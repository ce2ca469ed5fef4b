#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "survey.hpp"

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

struct search : survey::settings {
  std::vector<double> times = {1, 1.5, 2};  // the trained length, ascending
};

// The tokens of the answers, by mechanism and length: how many are the likeliest where those before them are given, and their loss.
inline void needle(const studied_model& of, const team& threads, std::vector<index_t> tokens,
                   const std::vector<hidden_fact>& facts, const search& how) {
  std::vector<index_t> lengths, ends;
  for (const double times : how.times) lengths.push_back(index_t(times * double(of.config().trained)));
  const index_t longest = lengths.back(), apart = longest / index_t(facts.size());
  if (index_t(tokens.size()) < longest) throw std::runtime_error("the text has too few tokens to hide facts in");
  for (const hidden_fact& each : facts) {
    const index_t place = index_t(ends.size()) * apart + apart / 2;
    tokens.insert(tokens.begin() + place, each.statement.begin(), each.statement.end());
    ends.push_back(place + index_t(each.statement.size()));
  }
  model::by_length found(how.results / "pretrained_needle.csv", "share found", lengths);
  model::by_length nats(how.results / "pretrained_needle_nats.csv", "nats per token", lengths);
  survey by(of, threads, how, longest, 256);
  const auto ignored = [](const auto&...) {};

  // What was read stays as it was.
  const auto ask = [&](const mechanism& way, const hidden_fact& fact, std::size_t nth) {
    const index_t length = by.text().length(), count = index_t(fact.answer.size());
    std::vector<index_t> asked = fact.question;
    asked.insert(asked.end(), fact.answer.begin(), fact.answer.end() - 1);
    const Matrix logits = by.text().logits(by.text().read(way, asked, longest).bottomRows(count));
    by.text().truncate(length);
    for (index_t row = 0; row < count; ++row) {
      const index_t token = fact.answer[std::size_t(row)];
      found.add(way.name, nth, logits.row(row).maxCoeff() == logits(row, token));
      nats.add(way.name, nth, loss_of(logits.row(row), token));
    }
  };
  by.for_each(tokens, std::min(of.config().trained, lengths.front()), ignored, [&](const mechanism& way) {
    for (std::size_t nth = 0; nth < lengths.size(); ++nth) {
      by.advance(way, tokens, lengths[nth], ignored);
      for (std::size_t each = 0; each < facts.size(); ++each)
        if (ends[each] <= lengths[nth]) ask(way, facts[each], nth);
    }
    found.write(), nats.write();
  });
  found.print(), nats.print();
}

}  // namespace pretrained
