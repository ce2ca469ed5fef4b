// Sums of sentences, which read near keys otherwise than far ones: over tensors, backward, and over keys that are kept.
#include "over_cache.hpp"
#include "over_gradients.hpp"
#include "over_tensors.hpp"
#include "subjects.hpp"

namespace fuzz {

using namespace longspan;

void hold_sums(drawn& from) {
  const index_t window = from.between(0, 90);
  // The last of these shows keys to both summands, which is refused where a row sees one.
  const index_t far = window + from.of<index_t>({1, 1, 1, 6, 0});
  const auto turned = sentence{"sum of rotations",
                               [=](const data_of_parts&) {
                                 return (rope{} | dot_product{} | log_n{.trained = 64} | sliding_window{window} | sink{2.0}) +
                                        (rope{}.at([](index_t place) { return 0.25 * double(place); }) | dot_product{} | alibi{} |
                                         causal{} | at_least{far} | sink{0.5});
                               },
                               4};
  const auto with_data =
      sentence{"sum with bias and boolean mask",
               [=](const data_of_parts& data) {
                 return (dot_product{} | bias{data.numbers} | boolean_mask{data.seen} | sliding_window{window}) +
                        (cosine{} | cos_scale{8} | softcap{3} | causal{} | at_least{far});
               },
               10,
               false,
               false,
               true,
               false};
  const auto kept = sentence{"sum", [=](const data_of_parts&) {
                               return (rms_normalize{} | rope{} | dot_product{} | sliding_window{window}) +
                                      (rms_normalize{} | rope{} | dot_product{} | scale_invariant{.tau = 3} |
                                       sinks_and_window{.sinks = 3, .window = 0} | at_least{window + 1} | sink{0.5});
                             }};
  switch (from.between(0, 6)) {
    case 0:
      return hold_over_tensors<float>(from, turned);
    case 1:
      return hold_over_tensors<float>(from, with_data);
    case 2:
      return hold_over_tensors<Eigen::bfloat16>(from, turned);
    case 3:
      return hold_over_gradients<double>(from, turned);
    case 4:
      return hold_over_gradients<double>(from, with_data);
    case 5:
      return hold_over_cache<float>(from, kept);
    default:
      return hold_over_cache<quantized<8>>(from, kept);
  }
}

}  // namespace fuzz
