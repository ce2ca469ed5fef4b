// Retrieval over lengths that were never trained: models learn at a short context to say what "the number of X is", and are asked at up
// to 16 times that length.
#include <filesystem>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "../contenders/contest.hpp"
#include "../model/options.hpp"
#include "../model/study.hpp"
#include "../model/text.hpp"
#include "task.hpp"

namespace {

struct settings {
  std::filesystem::path text = LONGSPAN_DEFAULT_TEXT;
  Index questions = 256, longest = 16;
  int seeds = 1;
  model::study::settings study = {.results = "needle.results", .size = {.blocks = 3, .width = 96, .heads = 3}, .steps = 1500};
};

// The share of right answers at one length, to the same questions for every mechanism.
double accuracy(const model::study& study, const model::attention& mechanism, const model::Vector& parameters,
                const needle_task& task, Index length, Index questions) {
  std::vector<double> right(std::size_t(questions), 0.0);
  model::for_each_item(study.threads(), questions, [&](Index item) {
    std::mt19937_64 source(std::uint64_t(length) << 32 | std::uint64_t(item));
    model::examples given{.length = length};
    task.draw(source, given);
    right[std::size_t(item)] = needle_task::right(given, study.model().guesses(parameters, mechanism, given));
  });
  return std::accumulate(right.begin(), right.end(), 0.0) / double(questions);
}

void run(const settings& of, const std::vector<contender>& contenders) {
  const Index m = of.study.trained, last = of.longest * m;
  const model::text text(of.text, 64 * last, 64 * last);
  const model::study study(of.study);
  model::by_length right(of.study.results / "needle.csv", "right answers", model::by_length::doubled(m, last));
  contest(
      contenders, of.seeds, right,
      [&](const contender& by, int seed) {
        const needle_task task(text.training(), m);
        return study.trained(
            by.name, *by.mechanism(m), seed, [&](auto& source, model::examples& drawn) { task.draw(source, drawn); },
            "needle in " + text.name());
      },
      [&](const model::attention& mechanism, const model::Vector& parameters, Index n) {
        return accuracy(study, mechanism, parameters, {text.validation(), n}, n, of.questions);
      });
}

}  // namespace

int main(int count, char** words) {
  settings of;
  std::vector<std::string> only = {"RoPE",  "RoPE + InfoScale",       "LogN + RoPE",          "LogN + p-RoPE",
                                   "ALiBi", "scale-invariant p-RoPE", "scale-invariant tau 1"};
  CLI::App app(
      "Trains small models at a short context to answer what \"the number of X is\", which stands somewhere in it, and asks "
      "them\n"
      "at 1 to 16 times that length. The text around it is by default the source of Eigen, which whoever builds this has.");
  model::add_options(app, of.study, of.text);
  app.add_option("--seeds", of.seeds, "models of each kind")->check(CLI::Range(1, 100))->capture_default_str();
  app.add_option("--questions", of.questions, "asked at each length")->check(CLI::Range(1, 1000000))->capture_default_str();
  app.add_option("--only", only, "mechanisms, by their names in length_extrapolation's table")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str();
  CLI11_PARSE(app, count, words);
  return reporting("needle", of.study.results, [&] {
    run(of, chosen(all_contenders(of.study.trained, of.study.size.channels), only));
    return 0;
  });
}
