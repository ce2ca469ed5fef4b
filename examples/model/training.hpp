#pragma once

#include <functional>
#include <numeric>
#include <vector>

#include "adamw.hpp"
#include "checkpoint.hpp"
#include "language_model.hpp"
#include "seconds.hpp"
#include "threads.hpp"

namespace model {

// What a training run is: steps of `shards` times `passes` parts of a batch, small enough to stay in the second-level cache. The passes
// of a shard are one thread's and share its gradients, which are added up in the order of the shards, so a run has the same bits for
// any number of threads.
struct training {
  static constexpr Index shards = 4;
  Index steps = 1000, passes = 4, until_checkpoint = 100;
  adamw optimiser = {};
  std::function<examples(Index step, Index part)> draw = {};  // the same for the same step and part, whatever was drawn before
  std::function<void(Index step, double loss, double bytes_per_second)> report = {};
};

// The parameters after the last step, from the checkpoint that is there or from a start that the seed decides.
inline Vector train(int threads, const language_model& of, const attention& mechanism, const training& run, std::uint64_t seed,
                    const checkpoint& kept) {
  const Index count = of.plan().size();
  adamw::state now{of.plan().initial(seed), Vector::Zero(count), Vector::Zero(count)};
  kept.read(now);
  const Vector decayed = of.plan().decayed();
  std::vector<Vector> gradients(std::size_t{training::shards}, Vector(count));
  std::vector<double> losses(gradients.size()), counts(gradients.size()), bytes_of(gradients.size());
  double bytes = 0;
  const double from = seconds();
  while (now.step < run.steps) {
    for_each_item(threads, training::shards, [&](Index shard) {
      const auto s = std::size_t(shard);
      gradients[s].setZero();
      losses[s] = counts[s] = bytes_of[s] = 0;
      for (Index part = shard * run.passes; part < (shard + 1) * run.passes; ++part) {
        const examples given = run.draw(now.step, part);
        const auto own = mechanism.of_pass(seed << 40 | std::uint64_t(now.step * training::shards * run.passes + part));
        losses[s] += of.loss(now.parameters, own ? *own : mechanism, given, &gradients[s]);
        counts[s] += given.total();
        bytes_of[s] += double(given.bytes.size());
      }
    });
    for (std::size_t s = 1; s < gradients.size(); ++s)
      gradients[0] += gradients[s], losses[0] += losses[s], counts[0] += counts[s];
    gradients[0] /= float(counts[0]);
    bytes += std::accumulate(bytes_of.begin(), bytes_of.end(), 0.0);
    run.optimiser(now, gradients[0], decayed, run.steps);
    run.report(now.step, losses[0] / counts[0], bytes / (seconds() - from));
    if (now.step % run.until_checkpoint == 0 || now.step == run.steps) kept.write(now);
  }
  return now.parameters;
}

}  // namespace model
