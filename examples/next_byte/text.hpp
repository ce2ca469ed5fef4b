#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

// The bytes to predict. A byte costs 1 KiB of features and one-hot values at most, so a text stops after this many of them.
constexpr std::size_t longest_text = std::size_t(1) << 19;

struct text {
  std::string name, bytes;
};

inline std::string bytes_of(const std::filesystem::path& file) {
  // A directory opens as a stream that reads nothing, and would pass for an empty file.
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file)) throw std::runtime_error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline text read_text(const std::filesystem::path& file) {
  text read{file.string(), bytes_of(file)};
  if (read.bytes.empty()) throw std::runtime_error(file.string() + " is empty");
  read.bytes.resize(std::min(read.bytes.size(), longest_text));
  return read;
}

// The project reads itself: README.md, then every header, sorted, so that every machine reads the same text.
inline text read_project(const std::filesystem::path& top) {
  namespace fs = std::filesystem;
  if (!fs::is_directory(top / "include"))
    throw std::runtime_error("no include folder under " + top.string() + ": name a file to read");
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(top / "include"))
    if (entry.path().extension() == ".hpp") files.push_back(entry.path());
  std::ranges::sort(files);
  if (fs::exists(top / "README.md")) files.insert(files.begin(), top / "README.md");

  text read{"README.md and include", {}};
  for (const fs::path& file : files) read.bytes += bytes_of(file);
  read.bytes.resize(std::min(read.bytes.size(), longest_text));
  return read;
}
