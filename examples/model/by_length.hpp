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

// What is measured of mechanisms at several lengths with several seeds: its mean and standard error, as text and as CSV.
class by_length {
 public:
  // At lengths from `first` to `last`, doubled. `file` gets the means; what every seed gave goes to the one beside it.
  by_length(std::filesystem::path file, std::string what, Index first, Index last)
      : file_(std::move(file)), what_(std::move(what)) {
    for (Index n = first; n <= last; n *= 2) lengths_.push_back(n);
  }

  const std::vector<Index>& lengths() const { return lengths_; }

  // Of one model, at all lengths. A mechanism's line stands where it was measured first.
  void add(const std::string& mechanism, const std::vector<double>& at_lengths) {
    auto own = std::ranges::find(lines_, mechanism, &line::mechanism);
    if (own == lines_.end()) own = lines_.insert(own, {mechanism, {}});
    own->seeds.push_back(at_lengths);
  }

  // A line for each length, two columns for each mechanism: what a plotting program reads.
  void write() const {
    std::ofstream csv(file_), each(file_.parent_path() / (file_.stem().string() + "-by-seed.csv"));
    csv << "length";
    each << "mechanism,seed,length," << what_ << '\n';
    for (const line& of : lines_) csv << ',' << of.mechanism << ",standard error";
    csv << '\n';
    for (std::size_t n = 0; n < lengths_.size(); ++n) {
      csv << lengths_[n];
      for (const line& of : lines_) {
        csv << ',' << of.mean(n) << ',' << of.standard_error(n);
        for (std::size_t s = 0; s < of.seeds.size(); ++s)
          each << of.mechanism << ',' << s + 1 << ',' << lengths_[n] << ',' << of.seeds[s][n] << '\n';
      }
      csv << '\n';
    }
    if (!csv.flush() || !each.flush()) throw std::runtime_error("cannot write " + file_.string());
  }

  void print() const {
    std::printf("%-24s", (what_ + " at length").c_str());
    for (const Index n : lengths_) std::printf("%16td", n);
    std::printf("\n");
    for (const line& of : lines_) {
      std::printf("%-24s", of.mechanism.c_str());
      for (std::size_t n = 0; n < lengths_.size(); ++n)
        of.seeds.size() > 1 ? std::printf("  %.3f +- %.3f", of.mean(n), of.standard_error(n)) : std::printf("%16.3f", of.mean(n));
      std::printf("\n");
    }
    std::fflush(stdout);
  }

 private:
  struct line {
    std::string mechanism;
    std::vector<std::vector<double>> seeds;

    double mean(std::size_t n) const {
      return std::accumulate(seeds.begin(), seeds.end(), 0.0, [n](double sum, const auto& seed) { return sum + seed[n]; }) /
             count();
    }
    double standard_error(std::size_t n) const {
      double squares = 0;
      for (const auto& seed : seeds) squares += std::pow(seed[n] - mean(n), 2);
      return seeds.size() > 1 ? std::sqrt(squares / (count() - 1) / count()) : 0;
    }
    double count() const { return double(seeds.size()); }
  };

  std::filesystem::path file_;
  std::string what_;
  std::vector<Index> lengths_;
  std::vector<line> lines_;
};

}  // namespace model
