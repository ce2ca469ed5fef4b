#pragma once

#include <longspan/isa_variants.hpp>

// Causal attention with RoPE of `heads` heads of `tokens` tokens of `channels` numbers, (head, token, channel) in memory. Compiled for several
// instruction sets; whoever calls it calls the one for the processor at hand. None of the library's types appears here: they are others
// in each of them.
LONGSPAN_ISA_VARIANTS(attend,
                      void(const float* q, const float* k, const float* v, float* output, long heads, long tokens, long channels))

// How many floats a register holds.
LONGSPAN_ISA_VARIANTS(lanes, long())
