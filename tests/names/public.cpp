// What users name stands in longspan itself. It compiles, or it does not.
#include <longspan/longspan.hpp>

namespace reachable {

using longspan::alibi, longspan::by_distance, longspan::kerple_log, longspan::kerple_power, longspan::relative_bias,
    longspan::t5_buckets, longspan::scale_invariant, longspan::softcap;
using longspan::any_mechanism, longspan::any_cache, longspan::make_any, longspan::make_any_for_inference;
using longspan::backward, longspan::backward_into, longspan::backward_with_parameters, longspan::backward_with_parameters_into;
using longspan::bfloat16_bits, longspan::half_bits;
using longspan::bias, longspan::forgetting, longspan::key_numbers;
using longspan::calibrate, longspan::calibration, longspan::calibrated_temperature;
using longspan::dropout;
using longspan::dual_chunk, longspan::leaky_rerope, longspan::lm_infinite, longspan::pose, longspan::rerope,
    longspan::self_extend, longspan::streaming_llm;
using longspan::forward, longspan::forward_into, longspan::reference::attention;
using longspan::gradients, longspan::gradients_with_parameters;
using longspan::index_t, longspan::interval, longspan::query_row, longspan::shapes, longspan::shape_error, longspan::device;
using longspan::kv_cache, longspan::cache_shape, longspan::quantized, longspan::paged, longspan::prepared_keys,
    longspan::prepare_keys, longspan::prepare;
using longspan::learned, longspan::per_head, longspan::dual, longspan::select;
using longspan::log_n, longspan::ss_max, longspan::llama4_temperature;
using longspan::mapped_rotation, longspan::positions, longspan::rotary_tables, longspan::per_channel;
using longspan::mask, longspan::at_least, longspan::boolean_mask, longspan::causal, longspan::chunks, longspan::everything,
    longspan::sliding_window, longspan::prefix, longspan::sinks_and_window;
using longspan::mechanism, longspan::operator|, longspan::operator+;
using longspan::pairing, longspan::rope, longspan::p_rope, longspan::partial_rotary, longspan::truncated_rope;
using longspan::rms_normalize, longspan::no_position, longspan::yarn_scaling, longspan::llama3_scaling,
    longspan::longrope_scaling;
using longspan::row_part, longspan::rotation, longspan::ladder, longspan::token;
using longspan::score, longspan::dot_product, longspan::cosine;
using longspan::skip_negligible, longspan::sink, longspan::attended, longspan::merge, longspan::view, longspan::placement,
    longspan::tensor_traits;
using longspan::temperature, longspan::cos_scale, longspan::info_scale;
using longspan::transform, longspan::differentiable, longspan::stage, longspan::reach, longspan::row_factor, longspan::affine;

#if defined(LONGSPAN_WALL)
using longspan::get, longspan::for_each_learned, longspan::merge_into;
#endif

}  // namespace reachable

// The functions that bodies of transforms call without a namespace.
template <class Number>
concept computes = requires(Number x) {
  exp(x), log(x), tanh(x), sqrt(x), abs(x);
  min(x, x), max(x, x);
  select(x < x, x, x);
};
static_assert(computes<longspan::dual<float>> && computes<longspan::dual<double>>);
