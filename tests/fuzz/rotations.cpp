// Rows that turn, and masks of positions.
#include "over_tensors.hpp"
#include "subjects.hpp"

namespace fuzz {

using namespace longspan;

void hold_rotations(drawn& from) {
  const double tau = double(from.between(1, 20));
  const index_t window = from.between(0, 90), few = from.between(0, 9);
  switch (from.between(0, 4)) {
    case 0:
      return hold_over_tensors<float>(from,
                                      sentence{"rope", [](const data_of_parts&) { return rope{} | dot_product{} | causal{}; }});
    case 1:
      return hold_over_tensors<float>(from, sentence{"cosine",
                                                     [](const data_of_parts&) {
                                                       return rope{.pairing = pairing::interleaved} | cosine{} | cos_scale{16} |
                                                              info_scale{.trained = 64} | causal{};
                                                     },
                                                     40, true});
    case 2:
      return hold_over_tensors<float>(from, sentence{"scale-invariant",
                                                     [=](const data_of_parts&) {
                                                       return rms_normalize{} | partial_rotary{.fraction = 0.5} | dot_product{} |
                                                              scale_invariant{.tau = tau} | sliding_window{window, few};
                                                     },
                                                     400});
    case 3:
      return hold_over_tensors<float>(from, sentence{"positions",
                                                     [=](const data_of_parts& data) {
                                                       return rope{}.at(positions{data.ids}) | dot_product{} |
                                                              log_n{.trained = 64} |
                                                              sinks_and_window{.sinks = few, .window = window} | sink{0.5};
                                                     },
                                                     4, false, false, false});
    default:
      return hold_over_tensors<float>(from, sentence{"tables",
                                                     [=](const data_of_parts& data) {
                                                       return rotary_tables{data.cosines, data.sines} | dot_product{} |
                                                              llama4_temperature{.scale = 0.5, .floor = 50} | chunks{window + 1} |
                                                              sink{-1};
                                                     },
                                                     4, false, false, false});
  }
}

}  // namespace fuzz
