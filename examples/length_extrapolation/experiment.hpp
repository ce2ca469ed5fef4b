#pragma once

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "../contenders/contender.hpp"
#include "../model/by_length.hpp"
#include "../model/study.hpp"
#include "../model/text.hpp"

// Trains every model that some contenders need on a text, and measures each contender with the end of it, at the trained length and at
// 2, 4 ... `longest` times that.
class experiment {
 public:
  struct settings {
    std::filesystem::path text;
    Index validation = 65536, longest = 64;
    int seeds = 1;
    model::study::settings study = {};
  };

  explicit experiment(const settings& given)
      : of_(given),
        text_(given.text, 64 * given.study.trained, given.validation + 1),
        study_(given.study),
        losses_(given.study.results / "length_extrapolation.csv", "nats per byte", lengths(given)) {
    std::printf("%s: %zu bytes to train on, %td to measure with; a model of %td parameters\n", of_.text.c_str(),
                text_.training().size(), of_.validation, study_.model().plan().size());
  }

  void run(const std::vector<contender>& contenders) {
    for (int seed = 1; seed <= of_.seeds; ++seed) {
      for (const contender& each : contenders) {
        if (!each.is_trained()) continue;
        const model::Vector parameters = trained(each, seed);
        for (const contender& other : contenders)
          if (other.trained_as == each.name) measure(other, parameters);
      }
      losses_.write();
      if (seed > 1) std::printf("Mean and standard error of %d seeds:\n", seed);
      losses_.print();
    }
  }

 private:
  static std::vector<Index> lengths(const settings& s) {
    std::vector<Index> all;
    for (Index n = s.study.trained; n <= s.longest * s.study.trained && n <= s.validation; n *= 2) all.push_back(n);
    return all;
  }

  model::Vector trained(const contender& by, int seed) const {
    const Index m = of_.study.trained;
    return study_.trained(by.name, *by.mechanism(m), seed, [&](auto& source, model::examples& drawn) {
      std::uniform_int_distribution<Index> start(0, Index(text_.training().size()) - m - 1);
      drawn.append(text_.training().subspan(std::size_t(start(source)), std::size_t(m + 1)));
    });
  }

  void measure(const contender& by, const model::Vector& parameters) {
    std::vector<double> at_lengths;
    for (const Index n : losses_.lengths()) {
      std::fprintf(stderr, "\r\033[KMeasuring %s at %td", by.name.c_str(), n);
      at_lengths.push_back(loss_at(n, *by.mechanism(n), parameters));
    }
    std::fprintf(stderr, "\r\033[K");
    losses_.add(by.name, at_lengths);
  }

  // The same bytes at every length, in windows of it.
  double loss_at(Index n, const model::attention& mechanism, const model::Vector& parameters) const {
    const Index at_once = std::max<Index>(n, 512), items = of_.validation / at_once;
    std::vector<double> sums(std::size_t(items), 0.0);
    longspan::for_each_item(study_.device(), items, [&](Index, Index item) {
      model::examples given{.length = n};
      for (Index first = item * at_once; first < (item + 1) * at_once; first += n)
        given.append(text_.validation().subspan(std::size_t(first), std::size_t(n + 1)));
      sums[std::size_t(item)] = study_.model().loss(parameters, mechanism, given);
    });
    return std::accumulate(sums.begin(), sums.end(), 0.0) / double(items * at_once);
  }

  settings of_;
  model::text text_;
  model::study study_;
  model::by_length losses_;
};
