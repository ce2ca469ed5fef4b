// What keeps a model trained with RoPE within the distances it knows: a window, and the first keys beside it. Norms are taken behind the
// rotation, which leaves them as they are.
#include "contender.hpp"

std::vector<contender> windowed(Index m) {
  using namespace longspan;
  const auto scored = rms_normalize{} | dot_product{};
  return {
      untrained("RoPE + window", "RoPE", [=](Index) { return rope{} | scored | sliding_window{m - 1}; }),
      untrained("RoPE + StreamingLLM", "RoPE", [=](Index) { return streaming_llm(4, m - 4, scored); }),  // a cache of m keys
      untrained("RoPE + LM-Infinite", "RoPE", [=](Index) { return lm_infinite(m, 10, scored); }),
  };
}
