#pragma once

#include <cmath>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A learned parameter of a row part: a number for each channel, or none, which is how a part is told to do without.
// `for (double& number : numbers)` reads and sets them all. A list that does not fit the channels of a call is refused by the call.
class per_channel {
 public:
  per_channel() = default;
  per_channel(std::vector<double> each) : values_(std::move(each)) {}
  per_channel(std::initializer_list<double> each) : values_(each) {}

  bool operator==(const per_channel&) const = default;

  bool empty() const { return values_.empty(); }
  const std::vector<double>& values() const { return values_; }

  double* begin() { return values_.data(); }
  double* end() { return values_.data() + values_.size(); }
  const double* begin() const { return values_.data(); }
  const double* end() const { return values_.data() + values_.size(); }

  void check(const char* field, index_t channels) const {
    if (!empty() && index_t(values_.size()) != channels)
      throw std::invalid_argument(std::string(field) + " must have a number for each channel, or none: " +
                                  std::to_string(values_.size()) + " numbers and " + std::to_string(channels) + " channels");
    for (const double value : values_)
      if (!std::isfinite(value))
        throw std::invalid_argument(std::string(field) + " must be finite, not " + std::to_string(value));
  }

 private:
  std::vector<double> values_;
};

LONGSPAN_NAMESPACE_END
