// Numbers of every width, and of several in one call.
#include "over_tensors.hpp"
#include "subjects.hpp"

namespace fuzz {

using namespace longspan;

void hold_storage(drawn& from) {
  using Eigen::bfloat16, Eigen::half;
  const auto rotated = sentence{"rope", [](const data_of_parts&) { return rope{} | dot_product{} | causal{}; }};
  const auto normalized = sentence{
      "rms_normalize", [](const data_of_parts&) { return rms_normalize{} | rope{} | dot_product{} | alibi{} | causal{}; }};
  const auto capped = sentence{
      "softcap and boolean mask",
      [](const data_of_parts& data) { return cosine{} | temperature{5} | softcap{3} | boolean_mask{data.seen} | sink{0.5}; },
      6,
      true,
      false,
      false};
  switch (from.between(0, 5)) {
    case 0:
      return hold_over_tensors<double>(from, rotated);
    case 1:
      return hold_over_tensors<double>(from, capped);
    case 2:
      return hold_over_tensors<bfloat16>(from, capped);
    case 3:
      return hold_over_tensors<half>(from, rotated);
    case 4:
      return hold_over_tensors<bfloat16>(from, normalized);
    default:
      return hold_over_tensors<float, half, bfloat16>(from, rotated);
  }
}

}  // namespace fuzz
