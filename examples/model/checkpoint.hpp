#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "adamw.hpp"
#include "checksum.hpp"

namespace model {

// A run that was stopped goes on from the file it left: a line that says what was being trained, the step, the vectors of the optimiser,
// and a sum over them by which a damaged file is known.
class checkpoint {
 public:
  checkpoint(std::filesystem::path file, std::string settings)
      : file_(std::move(file)), line_("longspan checkpoint 1: " + settings) {}

  // Whole or not at all: it takes the old one's place when it is written.
  void write(const adamw::state& from) const {
    const auto half_written = std::filesystem::path(file_) += ".part";
    std::ofstream stream(half_written, std::ios::binary);
    checksum sum;
    const auto put = [&](const void* bytes, std::size_t size) {
      stream.write(static_cast<const char*>(bytes), std::streamsize(size));
      sum.add(bytes, size);
    };
    const std::int64_t step = from.step, count = from.parameters.size();
    stream << line_ << '\n';
    put(&step, sizeof step);
    put(&count, sizeof count);
    for (const Vector* each : {&from.parameters, &from.first, &from.second})
      put(each->data(), std::size_t(count) * sizeof(float));
    stream.write(reinterpret_cast<const char*>(&sum.value), sizeof sum.value);
    if (!stream.flush()) throw std::runtime_error("cannot write " + half_written.string() + ": is the disk full?");
    stream.close();
    std::filesystem::rename(half_written, file_);
  }

  // False where there is none. Throws where it is damaged, or that of another run.
  bool read(adamw::state& into) const {
    if (!std::filesystem::exists(file_)) return false;
    std::ifstream stream(file_, std::ios::binary);
    if (!stream) refuse("cannot be read");
    std::string line;
    std::getline(stream, line);
    if (line != line_) refuse("is damaged, or was left by a run with other settings");
    checksum sum;
    std::uint64_t written = 0;
    const auto get = [&](void* bytes, std::size_t size) {
      if (!stream.read(static_cast<char*>(bytes), std::streamsize(size))) refuse("is damaged: it ends too early");
      sum.add(bytes, size);
    };
    adamw::state read = into;
    std::int64_t step = 0, count = 0;
    get(&step, sizeof step);
    get(&count, sizeof count);
    if (count != into.parameters.size())
      refuse("is damaged: it holds " + std::to_string(count) + " parameters of " + std::to_string(into.parameters.size()));
    for (Vector* each : {&read.parameters, &read.first, &read.second}) get(each->data(), std::size_t(count) * sizeof(float));
    if (!stream.read(reinterpret_cast<char*>(&written), sizeof written) || written != sum.value || stream.peek() != EOF)
      refuse("is damaged: its sum does not fit what it holds");
    read.step = step;
    into = std::move(read);
    return true;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw std::runtime_error("checkpoint " + file_.string() + " " + why + ". Delete it to start anew");
  }

  std::filesystem::path file_;
  std::string line_;
};

}  // namespace model
