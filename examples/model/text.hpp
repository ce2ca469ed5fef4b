#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "checksum.hpp"
#include "matrix.hpp"

namespace model {

inline std::string bytes_of(const std::filesystem::path& file) {
  // A folder opens as a stream that reads nothing, and would pass for an empty file.
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file)) throw std::runtime_error("cannot read the text " + file.string());
  return {std::istreambuf_iterator<char>(stream), {}};
}

// The text of a folder: its files, in an order that is the same everywhere and as good as drawn by lot, so that the last of them are like
// the first. A file that is no text, with a zero byte, is left out.
inline std::string files_of(const std::filesystem::path& folder) {
  std::vector<std::pair<std::uint64_t, std::filesystem::path>> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    files.emplace_back(checksum::of(entry.path().lexically_relative(folder).generic_string()), entry.path());
  }
  std::ranges::sort(files);
  std::string all;
  for (const auto& [lot, file] : files)
    if (std::string bytes = bytes_of(file); bytes.find('\0') == std::string::npos) all += bytes;
  return all;
}

// A text in two parts: what a model is trained on, and what it is measured with, its end.
class text {
 public:
  // A file, or a folder with all of its files. Throws where it cannot be read or the parts come out shorter than what is asked of each.
  text(const std::filesystem::path& from, Index training, Index validation)
      : name_(from.string()), all_(std::filesystem::is_directory(from) ? files_of(from) : bytes_of(from)) {
    const Index have = Index(all_.size());
    if (have < training + validation)
      throw std::runtime_error("the text " + from.string() + " has " + std::to_string(have) +
                               " bytes, too few: " + std::to_string(training) + " are needed to train on and " +
                               std::to_string(validation) + " to measure with");
    split_ = std::size_t(have - validation);
  }

  // A text by its name and its contents.
  std::string name() const { return name_ + " (" + std::to_string(checksum::of(all_)) + ")"; }
  Bytes training() const { return bytes().first(split_); }
  Bytes validation() const { return bytes().subspan(split_); }

 private:
  Bytes bytes() const { return {reinterpret_cast<const unsigned char*>(all_.data()), all_.size()}; }

  std::string name_, all_;
  std::size_t split_ = 0;
};

}  // namespace model
