#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "matrix.hpp"

namespace model {

// What is measured of mechanisms at several lengths, in samples: their mean and its standard error, as text and as CSV.
class by_length {
 public:
  by_length(std::filesystem::path file, std::string what, std::vector<Index> lengths)
      : file_(std::move(file)), what_(std::move(what)), lengths_(std::move(lengths)) {}

  // From `first` to `last`, doubled.
  static std::vector<Index> doubled(Index first, Index last) {
    std::vector<Index> made;
    for (Index n = first; n <= last; n *= 2) made.push_back(n);
    return made;
  }

  const std::vector<Index>& lengths() const { return lengths_; }

  // A sample at the nth length. A mechanism's line stands where it was measured first.
  void add(const std::string& mechanism, std::size_t nth, double sample) {
    auto own = std::ranges::find(lines_, mechanism, &line::mechanism);
    if (own == lines_.end()) own = lines_.insert(own, {mechanism, std::vector<samples>(lengths_.size())});
    own->at[nth].push_back(sample);
  }

  // A line for each length, two columns for each mechanism: what a plotting program reads.
  void write() const {
    std::ofstream csv(file_);
    csv << "length";
    for (const line& of : lines_) csv << ',' << of.mechanism << ",standard error";
    for (std::size_t n = 0; n < lengths_.size(); ++n) {
      csv << '\n' << lengths_[n];
      for (const line& of : lines_) csv << ',' << mean(of.at[n]) << ',' << standard_error(of.at[n]);
    }
    finish(csv << '\n', file_);
  }

  // Every sample, in a file beside it, as `kind` number so and so.
  void write_each(const std::string& kind) const {
    const auto file = file_.parent_path() / (file_.stem().string() + "-by-" + kind + ".csv");
    std::ofstream csv(file);
    csv << "mechanism," << kind << ",length," << what_ << '\n';
    for (const line& of : lines_)
      for (std::size_t n = 0; n < lengths_.size(); ++n)
        for (std::size_t s = 0; s < of.at[n].size(); ++s)
          csv << of.mechanism << ',' << s + 1 << ',' << lengths_[n] << ',' << of.at[n][s] << '\n';
    finish(csv, file);
  }

  void print() const {
    std::printf("%-36s", (what_ + " at length").c_str());
    for (const Index n : lengths_) std::printf("%16td", n);
    std::printf("\n");
    for (const line& of : lines_) print(of);
  }

  // What the samples of one mechanism have more than those of another, one by one, where both were measured.
  void print_more(const std::string& one, const std::string& other) const {
    const auto a = std::ranges::find(lines_, one, &line::mechanism), b = std::ranges::find(lines_, other, &line::mechanism);
    if (a == lines_.end() || b == lines_.end()) return;
    line more{one + " - " + other, a->at};
    for (std::size_t n = 0; n < lengths_.size(); ++n)
      for (std::size_t s = 0; s < more.at[n].size(); ++s) more.at[n][s] -= b->at[n].at(s);
    print(more);
  }

 private:
  using samples = std::vector<double>;
  struct line {
    std::string mechanism;
    std::vector<samples> at;  // the lengths
  };

  static double mean(const samples& of) { return std::accumulate(of.begin(), of.end(), 0.0) / double(of.size()); }
  static double standard_error(const samples& of) {
    const double count = double(of.size()), middle = mean(of);
    double squares = 0;
    for (const double each : of) squares += std::pow(each - middle, 2);
    return count > 1 ? std::sqrt(squares / (count - 1) / count) : 0;
  }

  static void print(const line& of) {
    std::printf("%-36s", of.mechanism.c_str());
    for (const samples& each : of.at)
      each.size() > 1 ? std::printf("  %.3f +- %.3f", mean(each), standard_error(each)) : std::printf("%16.3f", mean(each));
    std::printf("\n"), std::fflush(stdout);
  }

  static void finish(std::ostream& written, const std::filesystem::path& file) {
    if (!written.flush()) throw std::runtime_error("cannot write " + file.string());
  }

  std::filesystem::path file_;
  std::string what_;
  std::vector<Index> lengths_;
  std::vector<line> lines_;
};

}  // namespace model
