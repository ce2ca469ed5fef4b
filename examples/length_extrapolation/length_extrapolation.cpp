// A small language model of bytes, trained at a short context with each mechanism and measured at up to 64 times that length.
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "../model/options.hpp"
#include "experiment.hpp"

int main(int count, char** words) {
  experiment::settings of{.text = "/usr/include/vulkan/vulkan_structs.hpp",
                          .validation = 32768,
                          .study = {.results = "length_extrapolation.results", .steps = 200}};
  model::size& size = of.study.size;
  size.blocks = 3, size.width = 96, size.heads = 3;
  std::vector<std::string> only = {"RoPE",  "RoPE + YaRN",          "RoPE + InfoScale", "RoPE + StreamingLLM",
                                   "ALiBi", "scale-invariant tau 1"};

  CLI::App app(
      "Trains small language models of bytes at a short context, and measures their loss without further training at 1 to 64\n"
      "times that length, by mechanism. The text is by default a C++ header of Vulkan's, 4.7 MB that Debian's libvulkan-dev\n"
      "has: it says the names of a structure's members over and over, so thousands of bytes of context are worth something.");
  auto* steps = model::add_options(app, of.study, of.text);
  bool quick = false, full = false;
  auto* quickly = app.add_flag("--quick", quick, "the default: some mechanisms, one seed; a minute or two");
  app.add_flag("--full", full, "every mechanism, three seeds, 500 steps, 65536 bytes to measure with; an hour")
      ->excludes(quickly);
  auto* seeds = app.add_option("--seeds", of.seeds, "models of each kind")->check(CLI::Range(1, 100))->capture_default_str();
  auto* named =
      app.add_option("--only", only, "mechanisms, by their names in the table")->delimiter(',')->allow_extra_args(false);
  auto* validation = app.add_option("--validation", of.validation, "bytes to measure with")
                         ->check(CLI::Range(4096, 1 << 30))
                         ->capture_default_str();
  app.add_option("--longest", of.longest, "times the trained length")->check(CLI::Range(1, 1 << 20))->capture_default_str();
  app.add_option("--shortest", of.shortest, "bytes of the first column, if not the trained length: what context is worth")
      ->check(CLI::Range(16, 4096));
  CLI11_PARSE(app, count, words);
  if (full) {
    if (seeds->empty()) of.seeds = 3;
    if (named->empty()) only.clear();
    if (steps->empty()) of.study.steps = 500;
    if (validation->empty()) of.validation = 65536;
  }
  return reporting("length_extrapolation", of.study.results, [&] {
    if (!std::filesystem::exists(of.text))
      throw std::runtime_error(of.text.string() + " is not there: install libvulkan-dev, or name a text of yours");
    experiment(of).run(chosen(all_contenders(of.study.trained, size.channels), only));
    return 0;
  });
}
