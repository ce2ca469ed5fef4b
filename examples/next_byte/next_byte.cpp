// Attention alone, with no training, predicts each next byte of a text: where the last bytes were seen before, it reads what
// came next. It shows what plain attention loses as the context grows to 64 times the length at which its temperature was
// chosen, and what InfoScale, LogN and scale-invariant attention keep.
#include <charconv>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "contenders.hpp"
#include "experiment.hpp"
#include "table.hpp"
#include "text.hpp"

#ifndef LONGSPAN_SOURCE_DIR
#define LONGSPAN_SOURCE_DIR "."
#endif

namespace {

constexpr char usage[] =
    "next_byte [file] [--trained m] [--targets count]\n"
    "Predicts the bytes of a file, by default of this project, with attention alone, from m to 64 m bytes of context.\n"
    "  --trained m       the length at which temperatures are chosen, 16 to 65536; 128 by default\n"
    "  --targets count   about how many bytes to predict; 16384 by default\n";

struct misuse : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct options {
  std::optional<std::string> file;
  index_t trained = 128, targets = 16384;
};

index_t number(std::string_view name, const char* word, index_t least, index_t most) {
  index_t value = 0;
  const char* const end = word != nullptr ? word + std::strlen(word) : nullptr;
  if (word == nullptr || std::from_chars(word, end, value).ptr != end || value < least || value > most)
    throw misuse(std::string(name) + " needs a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return value;
}

options parse(char** word) {
  options chosen;
  while (*++word != nullptr) {
    const std::string_view name = *word;
    if (name == "--trained")
      chosen.trained = number(name, *++word, 16, 65536);
    else if (name == "--targets")
      chosen.targets = number(name, *++word, 1, 1 << 20);
    else if (name.starts_with("-") || chosen.file)
      throw misuse("unexpected argument: " + std::string(name));
    else
      chosen.file = name;
  }
  return chosen;
}

void run(const options& chosen) {
  const text read = chosen.file ? read_text(*chosen.file) : read_project(LONGSPAN_SOURCE_DIR);
  experiment x(read.bytes, chosen.trained, chosen.targets);
  if (x.lengths().empty())
    throw std::runtime_error(read.name + " has " + std::to_string(read.bytes.size()) + " bytes: a context of " +
                             std::to_string(chosen.trained) + " needs more than twice as many");
  std::printf("%s: %zu bytes, %lld distinct; %lld of them predicted, each from the n bytes before it.\n", read.name.c_str(),
              read.bytes.size(), static_cast<long long>(x.distinct()), static_cast<long long>(x.targets()));
  std::printf("T multiplies the score and is chosen for the fewest bits at m = %lld.\n", static_cast<long long>(x.trained()));
  for (const index_t n : x.skipped())
    std::printf("No context of %lld bytes: the text is not twice as long.\n", static_cast<long long>(n));
  std::printf("\n");

  table out(x);
  content_rows(x, out);
  distance_rows(x, out);
  rotated_rows(x, out);
}

}  // namespace

int main(int, char** words) {
  for (char** word = words; *word != nullptr; ++word)
    if (std::string_view(*word) == "--help") return std::fputs(usage, stdout) < 0;
  try {
    run(parse(words));
    return 0;
  } catch (const misuse& error) {
    std::fprintf(stderr, "next_byte: %s\n%s", error.what(), usage);
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "next_byte: %s\n", error.what());
    return 1;
  }
}
