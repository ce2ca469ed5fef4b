// Keys and values that are kept, in every storage.
#include "over_cache.hpp"
#include "subjects.hpp"

namespace fuzz {

using namespace longspan;

void hold_caches(drawn& from) {
  const index_t few = from.between(0, 200);
  const auto rotated = sentence{"rope", [](const data_of_parts&) { return rope{} | dot_product{} | alibi{} | causal{}; }};
  const auto windowed = sentence{"window", [=](const data_of_parts&) {
                                   return rms_normalize{} | p_rope{} | cosine{} | cos_scale{16} |
                                          sinks_and_window{.sinks = 3, .window = few} | sink{0.5};
                                 }};
  switch (from.between(0, 7)) {
    case 0:
      return hold_over_cache<float>(from, rotated);
    case 1:
      return hold_over_cache<float>(from, windowed);
    case 2:
      return hold_over_cache<quantized<8>>(from, rotated);
    case 3:
      return hold_over_cache<quantized<8>>(from, windowed);
    case 4:
      return hold_over_cache<Eigen::bfloat16>(from, rotated);
    case 5:
      return hold_over_cache<double>(from, rotated);
    case 6:
      return hold_over_cache<double>(from, windowed);
    default:
      return hold_over_cache<Eigen::half>(from, windowed);
  }
}

}  // namespace fuzz
