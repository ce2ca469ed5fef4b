#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>

#include "../program.hpp"
#include "study.hpp"

namespace model {

// The options that every study of models has and the text they read. Returns the one for the steps.
inline CLI::Option* add_options(CLI::App& app, study::settings& of, std::filesystem::path& text) {
  app.add_option("text", text, "a text file, or a folder whose files are read")->check(CLI::ExistingPath)->capture_default_str();
  of.threads = int(std::max(1u, std::thread::hardware_concurrency()));
  app.add_option("--trained", of.trained, "the context trained with, in bytes")
      ->check(CLI::Range(16, 4096))
      ->capture_default_str();
  app.add_option("--batch", of.batch, "contexts in a step, by sixteens")
      ->check(CLI::Range(16, 1 << 20))
      ->check([](const std::string& said) { return std::stol(said) % 16 == 0 ? "" : "not a multiple of 16: " + said; })
      ->capture_default_str();
  app.add_option("--threads", of.threads, "the results are the same for any number")->check(CLI::Range(1, 1024));
  add_results(app, of.results, "where tables and checkpoints go: a run that was stopped resumes from there");
  app.add_option_function<std::string>(
         "--layer",
         [&of](const std::string& name) {
           if (name != "gau") return;
           of.size.kind = block::gated_attention_unit;
           of.size.channels = 128;
         },
         "what the model is built of: attention and a feed-forward layer, or gated attention units")
      ->check(CLI::IsMember({"transformer", "gau"}));
  return app.add_option("--steps", of.steps, "steps of training")->check(CLI::Range(1, 1000000))->capture_default_str();
}

}  // namespace model
