// The backward pass, in double against differences of the definition, in float by its own rules.
#include "over_gradients.hpp"
#include "subjects.hpp"

namespace fuzz {

using namespace longspan;

void hold_gradients(drawn& from) {
  const index_t few = from.between(0, 70);
  const auto rotated =
      sentence{"rope, cosine, scale-invariant, window", [=](const data_of_parts&) {
                 return rope{} | cosine{} | cos_scale{16} | scale_invariant{.tau = 3} | sliding_window{few, few / 4} | sink{0.5};
               }};
  const auto with_data = sentence{"bias and boolean mask", [](const data_of_parts& data) {
                                    return rms_normalize{} | dot_product{} | log_n{.trained = 64} | softcap{3} |
                                           bias{data.numbers} | boolean_mask{data.seen};
                                  }};
  const auto dropped = sentence{
      "chunks and dropout",
      [=](const data_of_parts&) { return dot_product{} | temperature{1.5} | chunks{few + 1} | dropout{.share = 0.3, .seed = 5}; },
      1, false, true};
  const auto skipping = sentence{"skipping", [](const data_of_parts& data) {
                                   return rope{}.at(positions{data.ids}) | dot_product{} | alibi{.slopes = per_head{0.6}} |
                                          causal{} | skip_negligible{};
                                 }};
  switch (from.between(0, 5)) {
    case 0:
      return hold_over_gradients<double>(from, rotated);
    case 1:
      return hold_over_gradients<double>(from, with_data);
    case 2:
      return hold_over_gradients<double>(from, dropped);
    case 3:
      return hold_over_gradients<double>(from, skipping);
    case 4:
      return hold_over_gradients<float>(from, with_data);
    default:
      return hold_over_gradients<Eigen::bfloat16>(from, rotated);
  }
}

}  // namespace fuzz
