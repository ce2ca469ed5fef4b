// Logits that change, data that masks and biases read, and what stands at the end of a sentence.
#include "over_tensors.hpp"
#include "subjects.hpp"

namespace fuzz {

using namespace longspan;

void hold_transforms(drawn& from) {
  const index_t few = from.between(0, 70);
  switch (from.between(0, 5)) {
    case 0:
      return hold_over_tensors<float>(from, sentence{"plain", [](const data_of_parts&) { return dot_product{} | everything{}; }});
    case 1:
      return hold_over_tensors<float>(from, sentence{"bias",
                                                     [](const data_of_parts& data) {
                                                       return dot_product{} | temperature{1.5} | softcap{3} | bias{data.numbers} |
                                                              causal{};
                                                     },
                                                     2});
    case 2:
      return hold_over_tensors<float>(from, sentence{"boolean mask", [](const data_of_parts& data) {
                                                       return dot_product{} | alibi{} | boolean_mask{data.seen};
                                                     }});
    case 3:
      return hold_over_tensors<float>(from, sentence{"by distance",
                                                     [=](const data_of_parts&) {
                                                       return dot_product{} | ss_max{.scale = {0.4}} |
                                                              by_distance{[](index_t t) { return std::cos(0.1 * double(t)); }} |
                                                              prefix{few} | dropout{.share = 0.3, .seed = 5} | sink{0.5};
                                                     },
                                                     4, false, true});
    case 4:
      return hold_over_tensors<float>(from, sentence{"skipping", [](const data_of_parts&) {
                                                       return dot_product{} | alibi{.slopes = per_head{0.6}} | causal{} |
                                                              skip_negligible{};
                                                     }});
    default:
      return hold_over_tensors<float>(from, sentence{"forgetting",
                                                     [](const data_of_parts& data) {
                                                       return dot_product{} | forgetting{data.gates} | boolean_mask{data.seen} |
                                                              causal{};
                                                     },
                                                     1, false, false, false, false});
  }
}

}  // namespace fuzz
