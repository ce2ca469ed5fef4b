#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.hpp"

namespace engine {

inline float widened(float number) { return number; }
inline float widened(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t(bits) << 16); }
// The same of sixteen numbers, in two of the vectors that g++ and clang know. Of bfloat16s those at even places come first, then those at
// odd ones: a shift and a mask, and no shuffle.
typedef float eight __attribute__((vector_size(32)));
typedef eight sixteen[2];
inline void widen(const float* from, sixteen& to) {
  std::memcpy(&to[0], from, sizeof(eight)), std::memcpy(&to[1], from + 8, sizeof(eight));
}
inline void widen(const std::uint16_t* from, sixteen& to) {
  typedef std::uint32_t words __attribute__((vector_size(32)));
  words pairs;
  std::memcpy(&pairs, from, sizeof pairs);
  to[0] = eight(pairs << 16), to[1] = eight(pairs & 0xffff0000u);
}
// From the order in which numbers of this kind are widened to that of memory, and back.
inline void to_order(const float*, sixteen&) {}
inline void to_order(const std::uint16_t*, sixteen& x) {
  const eight even = x[0], odd = x[1];
  x[0] = __builtin_shufflevector(even, odd, 0, 8, 1, 9, 2, 10, 3, 11);
  x[1] = __builtin_shufflevector(even, odd, 4, 12, 5, 13, 6, 14, 7, 15);
}
inline void from_order(const float*, sixteen&) {}
inline void from_order(const std::uint16_t*, sixteen& x) {
  const eight first = x[0], second = x[1];
  x[0] = __builtin_shufflevector(first, second, 0, 2, 4, 6, 8, 10, 12, 14);
  x[1] = __builtin_shufflevector(first, second, 1, 3, 5, 7, 9, 11, 13, 15);
}

// A tensor of a file, where it lies: rows of 32-bit or of 16-bit floats.
struct stored {
  const void* data = nullptr;
  bool bfloat16 = false;
  index_t rows = 0, columns = 0;

  // with(pointer), which points to floats or to the 16 bits of bfloat16s.
  decltype(auto) visit(const auto& with) const {
    return bfloat16 ? with(static_cast<const std::uint16_t*>(data)) : with(static_cast<const float*>(data));
  }
  // Some rows as floats.
  void read(index_t first, index_t count, float* to) const {
    visit([&](const auto* from) {
      from += first * columns;
      const index_t numbers = count * columns, whole = numbers / 16 * 16;
      for (index_t n = 0; n < whole; n += 16) {
        sixteen floats;
        widen(from + n, floats), to_order(from, floats);
        std::memcpy(to + n, &floats, sizeof floats);
      }
      std::transform(from + whole, from + numbers, to + whole, [](auto number) { return widened(number); });
    });
  }
};

// The tensors of a folder's safetensors files, which are mapped and never copied.
class weights {
 public:
  explicit weights(const std::filesystem::path& folder) {
    std::set<std::string> files{"model.safetensors"};
    if (const auto index = folder / "model.safetensors.index.json"; std::filesystem::exists(index)) {
      files.clear();
      for (const json& file : read_json(index).at("weight_map")) files.insert(file);
    }
    for (const std::string& file : files) add(folder / file);
  }

  bool has(const std::string& name) const { return tensors_.contains(name); }
  const stored& operator[](const std::string& name) const {
    if (const auto found = tensors_.find(name); found != tensors_.end()) return found->second;
    throw std::runtime_error("the model has no tensor " + name);
  }

 private:
  // 8 bytes: the length of the header, which is JSON; then the tensors.
  void add(const std::filesystem::path& file) {
    const int opened = open(file.c_str(), O_RDONLY);
    struct stat about;
    if (opened < 0 || fstat(opened, &about) != 0) throw std::runtime_error("cannot read " + file.string());
    const auto size = std::uint64_t(about.st_size);
    void* const mapped = size < 8 ? MAP_FAILED : mmap(nullptr, size, PROT_READ, MAP_PRIVATE, opened, 0);
    close(opened);
    std::uint64_t header = 0;
    if (mapped != MAP_FAILED) std::memcpy(&header, mapped, 8);
    if (mapped == MAP_FAILED || header > size - 8) throw std::runtime_error(file.string() + " is no safetensors file");
    const char* const begin = static_cast<const char*>(mapped) + 8;
    const json tensors = json::parse(begin, begin + header);
    for (const auto& [name, said] : tensors.items()) {
      if (name == "__metadata__") continue;
      const std::string type = said.at("dtype");
      if (type != "F32" && type != "BF16") throw std::runtime_error(name + " is " + type + ": bring a model in F32 or BF16");
      const std::vector<index_t> shape = said.at("shape");
      if (shape.empty() || shape.size() > 2) continue;
      const std::uint64_t first = said.at("data_offsets").at(0), last = said.at("data_offsets").at(1);
      if (last > size - 8 - header || first > last) throw std::runtime_error(file.string() + " ends within " + name);
      tensors_[name] = {begin + header + first, type == "BF16", shape[0], shape.size() > 1 ? shape[1] : 1};
    }
  }

  std::map<std::string, stored> tensors_;
};

}  // namespace engine
