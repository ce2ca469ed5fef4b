#pragma once

#include <cstddef>
#include <cstdint>

namespace model {

// FNV-1a, byte by byte: what tells a damaged file, a changed text or other settings.
struct checksum {
  std::uint64_t value = 0xcbf29ce484222325u;

  void add(const void* bytes, std::size_t size) {
    const auto* each = static_cast<const unsigned char*>(bytes);
    for (std::size_t i = 0; i < size; ++i) value = (value ^ each[i]) * 0x100000001b3u;
  }
  static std::uint64_t of(const auto& bytes) {
    checksum sum;
    sum.add(bytes.data(), bytes.size());
    return sum.value;
  }
};

}  // namespace model
