// expects: the summands of a sum over them have the same score, and row parts that turn keys alike
#include <longspan/longspan.hpp>

using namespace longspan;
void refused() {
  const auto far = rope{}.at([](index_t) { return 64.; }, [](index_t) { return 0.; }) | dot_product{} | causal{} | at_least{64};
  kv_cache<float> cache((rope{} | dot_product{} | sliding_window{63}) + far,
                        {.key_heads = 1, .channels = 16, .value_channels = 16});
}
