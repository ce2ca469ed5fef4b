// expects: merge_into writes to its first argument, which must not be const: merge makes new memory
#include <longspan/longspan.hpp>

using part = longspan::attended<longspan::view<const float>, longspan::view<const float>>;

void refused(part& into, const part& other) { longspan::merge_into(into, other); }
