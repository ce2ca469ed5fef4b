#pragma once

#include <concepts>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rows.hpp"

namespace pretrained {

// A text that a model reads piece by piece, of `room` tokens at most. Past is what its layers keep: caches, or rows.
template <class Past>
class text {
 public:
  text(const studied_model& of, const team& threads, index_t room, std::vector<Past> past)
      : of_(of), threads_(threads), room_(room), past_(std::move(past)) {}

  index_t length() const { return length_; }
  std::vector<Past>& past() { return past_; }
  index_t bytes() const {
    index_t sum = 0;
    for (const Past& each : past_) sum += each.bytes();
    return sum;
  }
  void truncate(index_t length) {
    length_ = length;
    for (Past& each : past_) each.truncate(length);
  }

  // The last rows of the tokens that follow. Rescalings are those for `longest` tokens; where they grow with the text, for as many as there
  // are then, unless keys are turned already.
  Matrix read(const mechanism& way, std::span<const index_t> tokens, index_t longest) {
    length_ += index_t(tokens.size());
    by(way, way.grows() && std::derived_from<Past, rows> ? length_ : longest);
    return of_(threads_, tokens, std::span<const sentence>(by_), std::span(past_));
  }
  Matrix logits(const Matrix& rows) const { return of_.logits(threads_, rows); }

 private:
  void by(const mechanism& way, index_t length) {
    auto wanted = std::pair(way.name, length);
    if (wanted == made_for_) return;
    made_for_ = std::move(wanted);
    by_ = way.of_layers(of_, length, room_);
  }

  const studied_model& of_;
  const team& threads_;
  index_t room_, length_ = 0;
  std::vector<Past> past_;
  std::pair<std::string, index_t> made_for_;
  std::vector<sentence> by_;
};

}  // namespace pretrained
