#pragma once

#include <cmath>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <longspan/core/index.hpp>
#include <longspan/parameter/learned.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A learned parameter: one number for every head, or a number for each. [head] is the number of a head as it takes part in
// arithmetic; `for (double& number : numbers)` reads and sets them all. A list that does not fit the heads of a call is refused
// by the call.
class per_head {
 public:
  per_head(double every) : numbers_(every) {}
  per_head(std::vector<double> each) : numbers_(std::move(each)) {}
  per_head(std::initializer_list<double> each) : numbers_(std::vector<double>(each)) {}

  // The slope is the same for all heads: a row has one head, so the derivative of its loss is that by its own head's number.
  learned operator[](index_t head) const { return {size() == 1 ? *begin() : begin()[head], slope_}; }
  std::vector<double> values() const { return {begin(), end()}; }

  double* begin() { return is_one() ? &std::get<double>(numbers_) : std::get<1>(numbers_).data(); }
  double* end() { return begin() + size(); }
  const double* begin() const { return is_one() ? &std::get<double>(numbers_) : std::get<1>(numbers_).data(); }
  const double* end() const { return begin() + size(); }

  void seed() { slope_ = 1; }
  void check(const char* field, index_t heads) const {
    if (size() != 1 && size() != heads)
      throw std::invalid_argument(std::string(field) + " must be one number or one for each head: " + std::to_string(size()) +
                                  " numbers and " + std::to_string(heads) + " heads");
    for (const double value : *this)
      if (!std::isfinite(value))
        throw std::invalid_argument(std::string(field) + " must be finite, not " + std::to_string(value));
  }

 private:
  bool is_one() const { return std::holds_alternative<double>(numbers_); }
  index_t size() const { return is_one() ? 1 : index_t(std::get<1>(numbers_).size()); }

  std::variant<double, std::vector<double>> numbers_;  // one number takes no memory of its own: calls copy mechanisms
  double slope_ = 0;
};

LONGSPAN_NAMESPACE_END
