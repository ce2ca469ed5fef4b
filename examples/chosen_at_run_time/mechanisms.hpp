#pragma once

#include <string>

#include <longspan/any_mechanism.hpp>

// The mechanism that a model's configuration names, as JSON: {"mechanism": "rope" | "scale_invariant", "rope_theta": 10000, "trained": 2048,
// "sliding_window": 4096}, of which each may be absent. Throws std::invalid_argument for a name that is none, and what the JSON
// library throws for what is no JSON.
longspan::any_mechanism<float> mechanism_of(const std::string& json);
