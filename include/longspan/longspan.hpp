#pragma once

// longspan: fused attention on the CPU, composed from small parts. The table of contents, in the order the data flows.
//
// Public are the names of the parts below and the doors, and what parts of one's own need:
//   index_t, interval, key_set, query_row, token, shapes, shape_error    what they are told and may answer
//   the concepts row_part, rotation, score, transform, differentiable, mask; ladder, pairing, stage, row_factor, affine
//   learned, per_head, per_channel, for_each_learned, get                learned numbers, and how to find and step them
//   key_numbers                                                          data that bodies of transforms read under their keys
//   dual, select, min, max, abs and the functions of <cmath>             what bodies of transforms call; longspan::simd has the rest
//   mechanism, attended, gradients, view, placement, tensor_traits, device
//   kv_cache, cache_shape, quantized, paged, prepared_keys
//   any_mechanism, any_cache (any_mechanism.hpp, without the kernel), make_any, make_any_for_inference
//   isa_variants.hpp, not included here: one binary for every processor
//   reference::attention
// Everything in longspan::detail is internal and may change with any version.

#include <longspan/version.hpp>

// Rows learn where they are.
#include <longspan/position/mapped_rotation.hpp>  // rotations at other positions than the places
#include <longspan/position/no_position.hpp>      // NoPE
#include <longspan/position/p_rope.hpp>           // the fastest frequencies only
#include <longspan/position/partial_rotary.hpp>   // a prefix of the channels
#include <longspan/position/positions.hpp>        // positions from a tensor
#include <longspan/position/rms_normalize.hpp>    // QK-norm
#include <longspan/position/rope.hpp>             // RoPE, and its rescalings for long contexts
#include <longspan/position/rotary_tables.hpp>    // angles from a tensor
#include <longspan/position/truncated_rope.hpp>   // the ladder of scale-invariant attention

// A query meets a key.
#include <longspan/score/cosine.hpp>
#include <longspan/score/dot_product.hpp>

// Logits change: by temperatures,
#include <longspan/transform/calibrated_temperature.hpp>
#include <longspan/transform/cos_scale.hpp>
#include <longspan/transform/info_scale.hpp>
#include <longspan/transform/llama4_temperature.hpp>
#include <longspan/transform/log_n.hpp>
#include <longspan/transform/ss_max.hpp>
#include <longspan/transform/temperature.hpp>
// by distance,
#include <longspan/transform/alibi.hpp>
#include <longspan/transform/by_distance.hpp>
#include <longspan/transform/kerple.hpp>
#include <longspan/transform/relative_bias.hpp>
#include <longspan/transform/scale_invariant.hpp>
#include <longspan/transform/t5_buckets.hpp>
// by a bound,
#include <longspan/transform/softcap.hpp>
// and by data.
#include <longspan/transform/bias.hpp>
#include <longspan/transform/forgetting.hpp>

// A row sees some keys.
#include <longspan/mask/at_least.hpp>
#include <longspan/mask/boolean_mask.hpp>
#include <longspan/mask/causal.hpp>
#include <longspan/mask/chunks.hpp>
#include <longspan/mask/everything.hpp>
#include <longspan/mask/first_keys.hpp>
#include <longspan/mask/prefix.hpp>
#include <longspan/mask/sinks_and_window.hpp>
#include <longspan/mask/sliding_window.hpp>

// Weights are skipped where they cannot matter, or dropped, and a head may attend to nothing.
#include <longspan/softmax/dropout.hpp>
#include <longspan/softmax/sink.hpp>
#include <longspan/softmax/skip_negligible.hpp>

// Methods for contexts longer than the trained one, as sentences and sums of sentences.
#include <longspan/method/calibrate.hpp>  // a temperature fitted to a model
#include <longspan/method/dual_chunk.hpp>
#include <longspan/method/lm_infinite.hpp>
#include <longspan/method/pose.hpp>  // positions to train with
#include <longspan/method/rerope.hpp>
#include <longspan/method/self_extend.hpp>
#include <longspan/method/streaming_llm.hpp>

// Keys and values are kept between calls.
#include <longspan/cache/forward.hpp>       // forward, forward_into
#include <longspan/cache/kv_cache.hpp>      // append, truncate, copy
#include <longspan/cache/prepare_keys.hpp>  // keys turned once, for pages of one's own
#include <longspan/tensor/paged.hpp>        // pages of an engine's own

// The sentence, and what runs it.
#include <longspan/backward.hpp>              // gradients of the tensors and of learned numbers
#include <longspan/forward.hpp>               // forward, forward_into
#include <longspan/make_any.hpp>              // any_mechanism, any_cache: sentences that are chosen at run time
#include <longspan/mechanism.hpp>             // position | score | transform | mask | skip_negligible | dropout | sink
#include <longspan/mechanism/parameters.hpp>  // for_each_learned, get
#include <longspan/mechanism/prepare.hpp>     // tables of a sentence made once
#include <longspan/reference/attention.hpp>   // the definition
#include <longspan/simd/select.hpp>           // choices in the bodies of transforms
#include <longspan/softmax/merge.hpp>         // parts of the keys, put together
#include <longspan/tensor/bits.hpp>           // memory of 16-bit words, as numbers
#include <longspan/tensor/placement.hpp>      // where queries and keys stand
#include <longspan/tensor/view.hpp>           // strided memory
