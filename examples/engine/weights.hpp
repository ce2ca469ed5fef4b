#pragma once

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

// Eight numbers as floats, in the vectors that g++ and clang know.
typedef float eight __attribute__((vector_size(32)));
inline void widen(const float* from, eight& to) { std::memcpy(&to, from, sizeof to); }
inline void widen(const std::uint16_t* from, eight& to) {
  typedef std::uint32_t words __attribute__((vector_size(32)));
  to = eight(words{from[0], from[1], from[2], from[3], from[4], from[5], from[6], from[7]} << 16);
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
  // Some rows as floats, of whole eights.
  void read(index_t first, index_t count, float* to) const {
    if (count * columns % 8 != 0) throw std::runtime_error("sizes of a model must be multiples of 8");
    visit([&](const auto* from) {
      eight floats;
      from += first * columns;
      for (index_t n = 0; n < count * columns; n += 8) widen(from + n, floats), std::memcpy(to + n, &floats, sizeof floats);
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
