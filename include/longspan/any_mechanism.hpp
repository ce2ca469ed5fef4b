#pragma once

// Mechanisms that are chosen at run time, for units that only call them: nothing of the kernel. make_any.hpp makes them.
#include <longspan/any/backward.hpp>   // backward, backward_with_parameters
#include <longspan/any/cache.hpp>      // any_cache
#include <longspan/any/forward.hpp>    // forward, prepare_keys
#include <longspan/any/learned.hpp>    // for_each_learned
#include <longspan/any/mechanism.hpp>  // any_mechanism
