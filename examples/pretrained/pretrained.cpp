// Models that others trained, beyond the length that they were trained at: `pretrained --help` tells what it does. Texts are numbers of
// tokens, one a line: prepare.py makes them, and run.sh beside this folder calls both.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <thread>
#include <vector>

#include "../program.hpp"
#include "generate.hpp"
#include "needle.hpp"

namespace {

using namespace pretrained;

std::vector<index_t> tokens_of(const std::filesystem::path& file) {
  std::ifstream opened(file);
  std::istream& from = file == "-" ? std::cin : opened;
  std::vector<index_t> made{std::istream_iterator<index_t>(from), {}};
  if (made.empty()) throw std::runtime_error("no tokens in " + file.string());
  return made;
}

}  // namespace

int main(int count, char** given) {
  CLI::App app("Reads texts with a model that others trained.");
  std::filesystem::path folder, text = "-", results = ".";
  int threads = int(std::max(1u, std::thread::hardware_concurrency()));
  app.add_option("model", folder, "a folder with config.json and model.safetensors")->required()->check(CLI::ExistingDirectory);
  app.add_option("--threads", threads, "the results are the same for any number")->check(CLI::Range(1, 1024));
  add_results(app, results);
  app.require_subcommand(1);

  generation how;
  unsigned seed = 1;
  CLI::App* const writes = app.add_subcommand("generate", "continues a prompt");
  writes->add_option("prompt", text, "a file of tokens, - for the standard input")->capture_default_str();
  writes->add_option("--mechanism", how.mechanism, "as_trained, or words of mechanism.hpp joined by +")->capture_default_str();
  writes->add_option("--cache", how.storage, "what keys and values are kept as")
      ->check(CLI::IsMember({"float", "bfloat16", "8"}));
  writes->add_option("--tokens", how.tokens, "how many at most")->check(CLI::NonNegativeNumber)->capture_default_str();
  writes->add_option("--block", how.block, "tokens of the prompt that are read at a time")->check(CLI::PositiveNumber);
  writes->add_option("--temperature", how.next.temperature, "0: the likeliest token")->check(CLI::NonNegativeNumber);
  writes->add_option("--seed", seed, "of what is drawn");

  measurement loss;
  loss.mechanisms = {"as_trained", "info_scale", "dynamic_ntk", "streaming"};
  double times = 1.5;
  CLI::App* const measures = app.add_subcommand("perplexity", "nats per token by position, beyond the trained length");
  measures->add_option("text", text, "a file of tokens")->required();
  measures->add_option("--mechanisms", loss.mechanisms, "which, one behind the other")->delimiter(',');
  measures->add_option("--times", times, "how many times the trained length")
      ->check(CLI::Range(0.01, 64.0))
      ->capture_default_str();
  measures->add_option("--texts", loss.texts, "so many pieces of the text")->check(CLI::PositiveNumber)->capture_default_str();
  measures->add_option("--every", loss.every, "one of so many tokens is measured")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  measures->add_option("--step", loss.step, "tokens to a row of the table")->check(CLI::PositiveNumber)->capture_default_str();
  measures->add_option("--block", loss.block, "tokens that are read at a time")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();

  needle::settings hidden{{"as_trained", "info_scale", "dynamic_ntk", "streaming"}, {1, 1.5, 2}, 512, {}};
  std::filesystem::path facts;
  CLI::App* const hides = app.add_subcommand("needle", "facts hidden in a text, asked for behind it");
  hides->add_option("text", text, "a file of tokens")->required();
  hides->add_option("facts", facts, "see facts_of in needle.hpp")->required();
  hides->add_option("--mechanisms", hidden.mechanisms, "which, one behind the other")->delimiter(',');
  hides->add_option("--times", hidden.times, "how many times the trained length, ascending")->delimiter(',');
  hides->add_option("--block", hidden.block, "tokens that are read at a time")->check(CLI::PositiveNumber);

  std::filesystem::path logits;
  CLI::App* const compares = app.add_subcommand("logits", "writes the logits of a text as floats, for comparison with others");
  compares->add_option("text", text, "a file of tokens")->required();
  compares->add_option("file", logits)->required();
  compares->add_option("--cache", how.storage)->check(CLI::IsMember({"float", "bfloat16", "8"}));
  CLI11_PARSE(app, count, given);
  return reporting("pretrained", results, [&] {
    const model of(folder);
    const team workers(threads);
    const auto tokens = tokens_of(text);
    if (*writes) {
      how.next.source.seed(seed);
      generate(of, workers, tokens, how);
    } else if (*measures) {
      loss.longest = index_t(times * double(of.config().trained)), loss.results = results;
      perplexity(of, workers, loss).measure(tokens);
    } else if (*hides) {
      hidden.results = results;
      needle(of, workers, hidden).measure(tokens, facts_of(facts));
    } else if (*compares) {
      const mechanism way("as_trained");
      const auto past = caches(of, how.storage, way, index_t(tokens.size()));
      const Matrix made = of.logits(
          workers,
          of(
              workers, tokens,
              [&](index_t layer) { return way.read(of.config(), of.config().kinds[std::size_t(layer)], index_t(tokens.size())); },
              past));
      std::ofstream(logits, std::ios::binary).write(reinterpret_cast<const char*>(made.data()), made.size() * 4);
    }
    return 0;
  });
}
