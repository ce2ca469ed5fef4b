#pragma once

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <random>
#include <vector>

#include "../contenders/contest.hpp"
#include "../model/study.hpp"
#include "../model/text.hpp"

// Trains every model that some contenders need on a text, and measures each contender with the end of it, at the trained length and at
// 2, 4 ... `longest` times that; from a length below the trained one on where `shortest` is one.
class experiment {
 public:
  struct settings {
    std::filesystem::path text;
    Index validation = 65536, longest = 64, shortest = 0;
    int seeds = 1;
    model::study::settings study = {};
  };

  explicit experiment(const settings& given)
      : of_(given), text_(given.text, 64 * given.study.trained, given.validation + 1), study_(given.study) {
    std::printf("%s: %zu bytes to train on, %td to measure with; a model of %td parameters\n", of_.text.c_str(),
                text_.training().size(), of_.validation, study_.model().plan().size());
  }

  void run(const std::vector<contender>& contenders) const {
    const Index m = of_.study.trained, longest = std::min(of_.longest * m, of_.validation);
    model::by_length losses(of_.study.results / "length_extrapolation.csv", "nats per byte",
                            model::by_length::doubled(of_.shortest > 0 ? of_.shortest : m, longest));
    contest(
        contenders, of_.seeds, losses,
        [&](const contender& by, int seed) {
          return study_.trained(
              by.name, *by.mechanism(m), seed,
              [&](auto& source, model::examples& drawn) {
                std::uniform_int_distribution<Index> start(0, Index(text_.training().size()) - m - 1);
                drawn.append(text_.training().subspan(std::size_t(start(source)), std::size_t(m + 1)));
              },
              text_.name());
        },
        [&](const model::attention& mechanism, const model::Vector& parameters, Index n) {
          return loss_at(n, losses.lengths().back(), mechanism, parameters);
        });
  }

 private:
  // The same bytes at every length, in windows of it: as many as make whole windows of the longest.
  double loss_at(Index n, Index longest, const model::attention& mechanism, const model::Vector& parameters) const {
    Index at_once = n;
    while (at_once < 512 && at_once < longest) at_once *= 2;
    const Index items = of_.validation / longest * longest / at_once;
    std::vector<double> sums(std::size_t(items), 0.0);
    model::for_each_item(study_.threads(), items, [&](Index item) {
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
};
