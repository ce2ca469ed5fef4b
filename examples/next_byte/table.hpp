#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "experiment.hpp"

// A line for each mechanism, three numbers for each length. Lines appear as they are measured.
class table {
 public:
  explicit table(experiment& x) : x_(x), cell_(std::max(6, 18 / int(x.lengths().size()))) {
    const int group = int(x_.lengths().size()) * cell_;
    std::printf("%*s%*s%*s%*s\n", name_width + chosen_width, "", group, "bits per byte", gap + group, "entropy, nats",
                gap + group, "thousand tokens/s");
    std::printf("%-*s%*s", name_width, "context in bytes", chosen_width, "T");
    for (int column = 0; column < 3; ++column) {
      std::printf("%*s", column > 0 ? gap : 0, "");
      for (const index_t n : x_.lengths()) std::printf("%*lld", cell_, static_cast<long long>(n));
    }
    std::printf("\n");
  }

  // `family(temperature, n)` is the sentence for n bytes of context; each query sees the last `window` of them.
  template <class Family>
  void row(const char* name, double temperature, const Family& family, index_t window = longest) {
    std::vector<measured> cells;
    for (const index_t n : x_.lengths()) {
      progress(name, n);
      cells.push_back(x_.measure(family(temperature, n), n, std::min(n, window)));
    }
    char chosen[16];
    std::snprintf(chosen, sizeof chosen, "%.2f", temperature);
    line(name, chosen, cells);
  }

  // What is left to gain: the temperature chosen again at every length, which no rule may see.
  template <class Family>
  void row_at_best(const char* name, const Family& family) {
    std::vector<measured> cells;
    for (const index_t n : x_.lengths()) {
      progress(name, n);
      cells.push_back(x_.measure(family(x_.choose(family, n), n), n, n));
    }
    line(name, "any", cells);
  }

 private:
  static constexpr int name_width = 28, chosen_width = 6, gap = 3;
  static constexpr index_t longest = index_t(1) << 40;

  void line(const char* name, const char* chosen, const std::vector<measured>& cells) {
    if (terminal_) std::fprintf(stderr, "\r\033[K");
    std::printf("%-*s%*s", name_width, name, chosen_width, chosen);
    for (const measured& at : cells) std::printf("%*.3f", cell_, at.bits);
    std::printf("%*s", gap, "");
    for (const measured& at : cells) std::printf("%*.2f", cell_, at.entropy);
    std::printf("%*s", gap, "");
    for (const measured& at : cells) std::printf("%*.0f", cell_, at.bytes_per_second / 1000);
    std::printf("\n");
    std::fflush(stdout);
  }

  void progress(const char* name, index_t n) const {
    if (terminal_) std::fprintf(stderr, "\r\033[K%s, %lld bytes of context", name, static_cast<long long>(n));
  }

  experiment& x_;
  const int cell_;  // a group of columns is never narrower than its title
  const bool terminal_ = isatty(STDERR_FILENO) != 0;
};
