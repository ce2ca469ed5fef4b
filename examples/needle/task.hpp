#pragma once

#include <algorithm>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "../model/language_model.hpp"

// The needle in a haystack (arXiv 2505.17083, section 5): somewhere in a text stands the number of a name, and the text ends with the
// question for it. The haystack is a piece of the text, at a place drawn by lot; so is the needle's place in it.
class needle_task {
 public:
  static constexpr Index digits = 3;

  // Throws where a context is too short for a needle and the question with something between them.
  needle_task(model::Bytes haystack, Index length) : haystack_(haystack), length_(length) {
    if (length < 64)
      throw std::invalid_argument("a needle and its question need a context of 64 bytes, not " + std::to_string(length));
  }

  // The digits of the answer weigh as much as the rest of the context together; the text is learned beside them.
  void draw(auto& source, model::examples& into) const {
    const auto up_to = [&](Index most) { return std::uniform_int_distribution<Index>(0, most)(source); };
    const std::string name(1, static_cast<char>('A' + up_to(25)));
    const std::string number = std::to_string(1000 + up_to(999)).substr(1);
    const std::string needle = "\nThe number of " + name + " is " + number + ".\n";
    const std::string question = "\nThe number of " + name + " is " + number;

    const Index room = length_ + 1 - Index(needle.size() + question.size());
    const Index first = up_to(Index(haystack_.size()) - room - 1), before = up_to(room);
    std::string context(reinterpret_cast<const char*>(haystack_.data()) + first, std::size_t(room));
    context.insert(std::size_t(before), needle);
    context += question;
    into.append({reinterpret_cast<const unsigned char*>(context.data()), context.size()});
    into.counts.resize(into.targets.size(), 1.f);
    std::fill_n(into.counts.end() - digits, digits, float(length_) / float(digits));
  }

  // The share of contexts whose answer is guessed in every digit.
  static double right(const model::examples& given, const std::vector<unsigned char>& guesses) {
    const Index contexts = Index(given.targets.size()) / given.length;
    Index hits = 0;
    for (Index end = given.length; end <= contexts * given.length; end += given.length)
      hits += std::equal(given.targets.begin() + end - digits, given.targets.begin() + end, guesses.begin() + end - digits);
    return double(hits) / double(contexts);
  }

 private:
  model::Bytes haystack_;
  Index length_;
};
