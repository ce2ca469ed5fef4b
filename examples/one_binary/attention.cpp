// The only unit that includes the kernel. CMake compiles it once for each instruction set.
#include "attention.hpp"

#include <longspan/longspan.hpp>

namespace LONGSPAN_VARIANT {

void attend(const float* q, const float* k, const float* v, float* output, long heads, long tokens, long channels) {
  const auto of = [&](auto* data) {
    return longspan::view<std::remove_pointer_t<decltype(data)>>{
        data, {1, heads, tokens, channels}, {heads * tokens * channels, tokens * channels, channels, 1}};
  };
  const auto mechanism = longspan::rope{} | longspan::dot_product{} | longspan::causal{};
  longspan::forward_into(mechanism, of(q), of(k), of(v), of(output));
}

long lanes() { return long(longspan::simd::lanes<longspan::simd::batch<float>>); }

}  // namespace LONGSPAN_VARIANT
