#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "adamw.hpp"

namespace model {

// A run that was stopped goes on from the file it left: a line that says what was being trained, the step, the vectors of the optimiser,
// and a sum over all of it by which a damaged file is known.
class checkpoint {
 public:
  checkpoint(std::filesystem::path file, std::string settings)
      : file_(std::move(file)), line_("longspan checkpoint 1: " + settings) {}

  // Whole or not at all: it takes the old one's place when it is written.
  void write(const adamw::state& from) const {
    const auto half_written = std::filesystem::path(file_) += ".part";
    std::ofstream stream(half_written, std::ios::binary);
    std::uint64_t sum = start;
    const auto put = [&](const void* bytes, std::size_t size) {
      stream.write(static_cast<const char*>(bytes), std::streamsize(size));
      add(sum, bytes, size);
    };
    const std::int64_t step = from.step, count = from.parameters.size();
    stream << line_ << '\n';
    put(&step, sizeof step);
    put(&count, sizeof count);
    for (const Vector* each : {&from.parameters, &from.first, &from.second})
      put(each->data(), std::size_t(count) * sizeof(float));
    stream.write(reinterpret_cast<const char*>(&sum), sizeof sum);
    if (!stream.flush()) throw std::runtime_error("cannot write " + half_written.string() + ": is the disk full?");
    stream.close();
    std::filesystem::rename(half_written, file_);
  }

  // False where there is none. Throws where it is damaged, or that of another run.
  bool read(adamw::state& into) const {
    std::ifstream stream(file_, std::ios::binary);
    if (!stream) return false;
    std::string line;
    std::getline(stream, line);
    if (line != line_) refuse("was left by a run with other settings (" + line.substr(0, 200) + ")");
    std::uint64_t sum = start, written = 0;
    const auto get = [&](void* bytes, std::size_t size) {
      if (!stream.read(static_cast<char*>(bytes), std::streamsize(size))) refuse("is damaged: it ends too early");
      add(sum, bytes, size);
    };
    adamw::state read = into;
    std::int64_t step = 0, count = 0;
    get(&step, sizeof step);
    get(&count, sizeof count);
    if (count != into.parameters.size())
      refuse("is damaged: it holds " + std::to_string(count) + " parameters of " + std::to_string(into.parameters.size()));
    for (Vector* each : {&read.parameters, &read.first, &read.second}) get(each->data(), std::size_t(count) * sizeof(float));
    if (!stream.read(reinterpret_cast<char*>(&written), sizeof written) || written != sum || stream.peek() != EOF)
      refuse("is damaged: its sum does not fit what it holds");
    read.step = step;
    into = std::move(read);
    return true;
  }

 private:
  static constexpr std::uint64_t start = 0xcbf29ce484222325u;

  // FNV-1a, by words.
  static void add(std::uint64_t& sum, const void* bytes, std::size_t size) {
    const auto* each = static_cast<const unsigned char*>(bytes);
    for (std::size_t i = 0; i < size; ++i) sum = (sum ^ each[i]) * 0x100000001b3u;
  }

  [[noreturn]] void refuse(const std::string& why) const {
    throw std::runtime_error("checkpoint " + file_.string() + " " + why + ". Delete it to start anew");
  }

  std::filesystem::path file_;
  std::string line_;
};

}  // namespace model
