// Models that others trained, beyond the length that they were trained at: `pretrained --help` tells what it does. Texts are numbers of
// tokens, one a line: prepare.py makes them, and run.sh beside this folder calls both.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "../program.hpp"
#include "calibrate.hpp"
#include "generate.hpp"
#include "needle.hpp"
#include "perplexity.hpp"

namespace {

using namespace pretrained;

std::vector<index_t> tokens_of(const std::filesystem::path& file) {
  std::ifstream opened(file);
  std::istream& from = file == "-" ? std::cin : opened;
  std::vector<index_t> made{std::istream_iterator<index_t>(from), {}};
  if (made.empty()) throw std::runtime_error("no tokens in " + file.string());
  return made;
}

void add_survey(CLI::App& of, survey::settings& how) {
  of.add_option("--mechanisms", how.mechanisms, "words of mechanism.hpp joined by +, one mechanism behind the other")
      ->delimiter(',');
  of.add_option("--block", how.block, "tokens that are read at a time")->check(CLI::PositiveNumber)->capture_default_str();
}

}  // namespace

int main(int count, char** given) {
  CLI::App app("Reads texts with a model that others trained.");
  std::filesystem::path folder, text, facts, logits, temperatures, results = ".";
  int threads = int(std::max(1u, std::thread::hardware_concurrency()));
  app.add_option("model", folder, "a folder with config.json and model.safetensors")->required()->check(CLI::ExistingDirectory);
  app.add_option("--threads", threads, "the results are the same for any number")->check(CLI::Range(1, 1024));
  add_results(app, results);
  app.add_option("--calibrated", temperatures, "what `calibrate` writes, by default calibrated.json in the model's folder");
  app.require_subcommand(1);
  const auto command = [&](const char* name, const char* what) {
    CLI::App* const made = app.add_subcommand(name, what);
    made->add_option("text", text, "a file of tokens, - for the standard input")->required();
    return made;
  };

  generation how;
  unsigned seed = 1;
  CLI::App* const writes = command("generate", "continues a text");
  writes->add_option("--mechanism", how.mechanism, "as_trained, or words of mechanism.hpp joined by +")->capture_default_str();
  writes->add_option("--cache", how.storage, "what keys and values are kept as; rows: of floats, for any mechanism")
      ->check(CLI::IsMember({"float", "bfloat16", "8", "rows"}));
  writes->add_option("--tokens", how.tokens, "how many at most")->check(CLI::NonNegativeNumber)->capture_default_str();
  writes->add_option("--block", how.block, "tokens of the prompt that are read at a time")->check(CLI::PositiveNumber);
  writes->add_option("--temperature", how.next.temperature, "0: the likeliest token")->check(CLI::NonNegativeNumber);
  writes->add_option("--seed", seed, "of what is drawn");

  measurement loss;
  CLI::App* const measures = command("perplexity", "nats per token by position, beyond the trained length");
  add_survey(*measures, loss);
  measures->add_option("--times", loss.times, "the trained length")->check(CLI::Range(0.01, 64.0))->capture_default_str();
  const auto number = [&](const char* name, index_t& of, const char* what) {
    measures->add_option(name, of, what)->check(CLI::PositiveNumber)->capture_default_str();
  };
  number("--texts", loss.texts, "so many pieces of the text");
  number("--every", loss.every, "one of so many tokens is measured");
  number("--step", loss.step, "tokens to a column of the table");

  search hidden;
  CLI::App* const hides = command("needle", "facts hidden in a text, asked for behind it");
  hides->add_option("facts", facts, "see facts_of in needle.hpp")->required();
  add_survey(*hides, hidden);
  hides->add_option("--times", hidden.times, "the trained length, ascending")->delimiter(',');

  fitting fit;
  CLI::App* const fits =
      command("calibrate", "fits a temperature to every head: its entropy stays what it is at the trained length");
  fits->add_option("--mechanism", fit.mechanism, "the positions that it goes with")->capture_default_str();
  fits->add_option("--times", fit.times, "the trained length")->check(CLI::Range(1.0, 64.0))->capture_default_str();
  fits->add_option("--apart", fit.apart, "of the trained length, from one length to the next")->check(CLI::Range(0.01, 64.0));
  fits->add_option("--block", fit.block, "tokens that are read at a time")->check(CLI::PositiveNumber);
  fits->add_option("--rows", fit.rows, "of each of the four blocks before a length: what is measured")
      ->check(CLI::PositiveNumber);

  CLI::App* const compares = command("logits", "writes the logits of a text as floats, for comparison with others");
  compares->add_option("file", logits)->required();
  CLI11_PARSE(app, count, given);
  return reporting("pretrained", results, [&] {
    if (temperatures.empty()) temperatures = folder / "calibrated.json";
    const studied_model of(folder, *fits ? std::vector<longspan::calibrated_temperature>() : calibrated(temperatures));
    const team workers(threads);
    const auto tokens = tokens_of(text);
    how.next.source.seed(seed), loss.results = hidden.results = results;
    if (*writes) generate(of, workers, tokens, how);
    if (*measures) perplexity(of, workers, tokens, loss);
    if (*fits) calibrate(of, workers, tokens, fit, temperatures);
    if (*hides) needle(of, workers, tokens, facts_of(facts), hidden);
    if (*compares) {
      const mechanism way("as_trained");
      const index_t length = index_t(tokens.size());
      pretrained::text read(of, workers, length, prepared(of, how.storage, way, length));
      const Matrix made = read.logits(read.read(way, tokens, length));
      std::ofstream(logits, std::ios::binary).write(reinterpret_cast<const char*>(made.data()), made.size() * 4);
    }
    return 0;
  });
}
