#pragma once

#include <longspan/core/config.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Skips keys whose weights are certain not to change a float: before the pass each row finds, from the norms of the prepared query and keys
// and from what the transforms can make of a score at most, an interval that holds all its other keys, and attends to no panel of 64 keys
// outside of it. Made for transforms by which logits fall with the distance: forgetting, alibi, steep tables of by_distance. Stands after
// the masks, before dropout and sink.
//
// What is certain: the weights that a row skips sum to less than 2^-25 of the weights that it keeps (2^-54 in double), a quarter of a unit
// in the last place, so that the output differs by less than 2^-24 of the largest |value| and log_sum_exp by less than 2^-25, before
// rounding; under dropout 1 / (1 - share) times as much. Backward, weights are skipped that sum to less than 2^-25 of their row: a row's
// contribution to a gradient differs by less than that share of the largest it can be. n and what masks show are as without it, and so is
// the reference. A NaN or an infinity in a query, a key, a value or a gradient that comes in is never skipped by a row that sees it, nor
// are the keys of a panel with one. A row decides by itself and the keys that it sees: it has the same bits in prefill and decoding, for
// any device and in any batch.
//
// What it costs: every key, value and query is read once more before the pass, which decoding feels: its time is that of reading. It takes
// memory for a number for each key of each key head, two for each query row of each head, and an interval for each row. Where nothing can
// be skipped that is all, as under a mask whose data is random: what is skipped is what no interval of a row needs. Every transform must
// say what its logits are at most: see the concept transform.
struct skip_negligible {};

LONGSPAN_NAMESPACE_END
