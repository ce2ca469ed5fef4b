#pragma once

#include "drawn.hpp"

namespace fuzz {

// Each draws one call, or a cache and what is done with it, and holds the rules.
void hold_rotations(drawn&);
void hold_transforms(drawn&);
void hold_gradients(drawn&);
void hold_storage(drawn&);
void hold_caches(drawn&);
void hold_pages(drawn&);
void hold_sums(drawn&);
void hold_learned(drawn&);
void hold_refusals(drawn&);

inline void hold_drawn_rules(drawn& from) {
  from.of({hold_rotations, hold_transforms, hold_gradients, hold_storage, hold_caches, hold_pages, hold_sums, hold_learned,
           hold_refusals})(from);
}

}  // namespace fuzz
