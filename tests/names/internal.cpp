// What users do not name is not in longspan: a name of theirs never meets it.
// expects: using longspan::no_such_name;
// expects: using longspan::bind;
// expects: using longspan::bound;
// expects: using longspan::buffer;
// expects: using longspan::compute_t;
// expects: using longspan::for_each_item;
// expects: using longspan::keys_under;
// expects: using longspan::left;
// expects: using longspan::multiply;
// expects: using longspan::online_softmax;
// expects: using longspan::pack;
// expects: using longspan::prefill;
// expects: using longspan::sentence;
// expects: using longspan::tile_shape;
// expects: using longspan::threads_of;
#include <longspan/longspan.hpp>

namespace unreachable {

using longspan::no_such_name;  // that compilers repeat the line of an error

using longspan::bind;
using longspan::bound;
using longspan::buffer;
using longspan::compute_t;
using longspan::for_each_item;
using longspan::keys_under;
using longspan::left;
using longspan::multiply;
using longspan::online_softmax;
using longspan::pack;
using longspan::prefill;
using longspan::sentence;
using longspan::threads_of;
using longspan::tile_shape;

}  // namespace unreachable
