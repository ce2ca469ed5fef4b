#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "../model/attention.hpp"

using Eigen::Index;

// A way to attend to texts longer than the trained ones: the model it needs, named after the contender that was trained, and its
// mechanism for texts of a length. Those that name themselves are trained.
struct contender {
  std::string name, trained_as;
  std::function<std::unique_ptr<model::attention>(Index length)> mechanism;

  bool is_trained() const { return name == trained_as; }
};

template <class Mechanism>
contender trained(std::string name, const Mechanism& mechanism) {
  return {name, name, [=](Index) { return std::make_unique<model::trained<Mechanism>>(mechanism); }};
}

// With a number for each head that its layers learn: family(numbers) is the mechanism.
template <class Family>
contender learning(std::string name, const Family& family) {
  return {name, name, [=](Index) { return std::make_unique<model::learning<Family>>(family); }};
}

// `family(length)` is the mechanism for texts of that length.
template <class Family>
contender untrained(std::string name, std::string trained_as, const Family& family) {
  return {std::move(name), std::move(trained_as),
          [=](Index length) { return std::make_unique<model::evaluated<decltype(family(length))>>(family(length)); }};
}

// m is the trained length. Rows are normalised to RMS 1 everywhere but before a cosine, which needs no norm.
std::vector<contender> rotated(Index m);
std::vector<contender> windowed(Index m);
std::vector<contender> near_and_far(Index m);
std::vector<contender> with_skipped_positions(Index m);
std::vector<contender> with_distance(Index m);
std::vector<contender> with_cosines(Index m, Index channels);

inline std::vector<contender> all_contenders(Index m, Index channels) {
  std::vector<contender> all = rotated(m);
  for (const auto& more : {windowed(m), near_and_far(m), with_skipped_positions(m), with_distance(m), with_cosines(m, channels)})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

// Those of some names, or all, and the models they need.
inline std::vector<contender> chosen(const std::vector<contender>& all, const std::vector<std::string>& names) {
  const auto wanted = [&](const std::string& name) { return names.empty() || std::ranges::find(names, name) != names.end(); };
  std::vector<contender> picked;
  for (const contender& each : all)
    if (wanted(each.name) || std::ranges::any_of(all, [&](const auto& o) { return o.trained_as == each.name && wanted(o.name); }))
      picked.push_back(each);
  for (const std::string& name : names)
    if (std::ranges::find(all, name, &contender::name) == all.end()) {
      std::string known;
      for (const contender& each : all) known += "\n  " + each.name;
      throw std::invalid_argument("no mechanism is called " + name + ", but" + known);
    }
  return picked;
}
