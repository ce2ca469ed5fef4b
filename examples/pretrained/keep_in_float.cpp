#include "keep_in_cache.hpp"

template std::unique_ptr<pretrained::kept> pretrained::keep_in_cache<float>(index_t, index_t, const reading&);
