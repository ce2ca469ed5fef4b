#pragma once

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <random>
#include <string>

#include "../../bench/support/roofline.hpp"
#include "training.hpp"

namespace model {

// Models of one size, trained alike but for the mechanism and the seed.
class study {
 public:
  struct settings {
    std::filesystem::path results = {};
    model::size size = {};
    Index trained = 128, batch = 32, steps = 500;  // bytes of a context, contexts, steps
    int threads = 2;
    double rate = 2e-3;
  };
  using random = std::mt19937_64;

  explicit study(const settings& given) : of_(given), model_(given.size) {
    std::filesystem::create_directories(of_.results / "checkpoints");
  }

  const language_model& model() const { return model_; }
  int threads() const { return of_.threads; }

  // `draw` appends one context of a task at a time, `task` being what it is called in checkpoints. What it draws depends on the seed and
  // the step alone, so that a run goes on from a checkpoint as if it had never stopped.
  Vector trained(const std::string& name, const attention& mechanism, int seed,
                 const std::function<void(random&, examples&)>& draw, const std::string& task) const {
    training run{.steps = of_.steps, .passes = of_.batch / (training::shards * contexts), .optimiser = {.peak = of_.rate}};
    run.draw = [&](Index step, Index part) {
      std::seed_seq mixed{std::uint64_t(seed), std::uint64_t(step), std::uint64_t(part)};
      random source(mixed);
      examples drawn{.length = of_.trained};
      for (Index s = 0; s < contexts; ++s) draw(source, drawn);
      return drawn;
    };
    const double peak = of_.threads * roofline::flops<float>();
    run.report = [&, peak](Index step, double loss, double speed) {
      if (step % 10 != 0 && step != of_.steps) return;
      std::fprintf(stderr,
                   "\r\033[K%s, seed %d: step %td of %td, loss %.3f, %.1f thousand bytes/s, %.0f %% of the peak, %.0f s left",
                   name.c_str(), seed, step, of_.steps, loss, speed / 1e3,
                   100 * speed * model_.training_flops_per_byte(of_.trained) / peak,
                   double((of_.steps - step) * of_.batch * of_.trained) / speed);
    };
    Vector parameters =
        train(of_.threads, model_, mechanism, run, std::uint64_t(seed), checkpoint_of(name + ", " + task, name, seed));
    std::fprintf(stderr, "\n");
    return parameters;
  }

 private:
  static constexpr Index contexts = 4;  // in one pass: 512 bytes at a length of 128, whose rows stay in the second-level cache

  // Other settings have another file.
  checkpoint checkpoint_of(const std::string& task, const std::string& name, int seed) const {
    const std::string described = task + ", seed " + std::to_string(seed) + ", " + std::to_string(of_.steps) + " steps of " +
                                  std::to_string(of_.batch) + " x " + std::to_string(of_.trained) + " bytes, " +
                                  std::to_string(model_.plan().size()) + " parameters";
    std::string file = name + "-" + std::to_string(seed) + "-" + std::to_string(checksum::of(described));
    std::ranges::replace_if(file, [](char each) { return each == ' ' || each == '/'; }, '-');
    return {of_.results / "checkpoints" / file, described};
  }

  settings of_;
  language_model model_;
};

}  // namespace model
