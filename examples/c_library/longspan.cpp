// The library behind longspan.h: every function is a door of C++'s, and what it throws becomes a status.
#include "longspan.h"

#include <new>
#include <optional>
#include <stdexcept>
#include <string>

#include <longspan/longspan.hpp>

struct longspan_mechanism {
  longspan::any_mechanism<float> of;
};
struct longspan_cache {
  longspan::any_cache<float> of;
};

namespace {

thread_local std::string message;

longspan_status fail(longspan_status status, const char* words) noexcept {
  try {
    message = words;
  } catch (...) {
    message.clear();
  }
  return status;
}

template <class Work>
longspan_status guarded(Work work) noexcept {
  try {
    work();
    return LONGSPAN_OK;
  } catch (const std::invalid_argument& error) {
    return fail(LONGSPAN_INVALID, error.what());
  } catch (const std::bad_alloc&) {
    return fail(LONGSPAN_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return fail(LONGSPAN_FAILED, error.what());
  } catch (...) {
    return fail(LONGSPAN_FAILED, "unknown");
  }
}

template <class X>
const X& given(const X* pointer, const char* name) {
  if (pointer == nullptr) throw std::invalid_argument(std::string(name) + " is NULL");
  return *pointer;
}

longspan::view<float> viewed(const longspan_view* of, const char* name) {
  const longspan_view& memory = given(of, name);
  longspan::view<float> made{memory.data, {}, {}};
  for (std::size_t axis = 0; axis < 4; ++axis) made.extent[axis] = memory.extent[axis], made.stride[axis] = memory.stride[axis];
  return made;
}

struct callers_threads {
  const longspan_device* of;
  longspan::index_t threads() const { return of == nullptr ? 1 : of->threads; }
  template <class Work>
  void run(longspan::index_t count, const Work& work) const {
    const auto call = [](const void* what, std::ptrdiff_t n) { (*static_cast<const Work*>(what))(n); };
    if (of == nullptr || of->run == nullptr)
      for (longspan::index_t n = 0; n < count; ++n) work(n);
    else
      of->run(of->context, count, call, &work);
  }
};

longspan::any_mechanism<float> sentence_of(const longspan_sentence& of) {
  using namespace longspan;
  std::optional<double> scale;
  if (of.scale != 0) scale = of.scale;
  const auto scored = p_rope{.fraction = of.rotated, .base = of.rope_base} | dot_product{.scale = scale};
  const auto seen = sliding_window{.before = of.before, .after = of.after};
  switch (of.temperature) {
    case LONGSPAN_PLAIN:
      return make_any<float>(scored | seen);
    case LONGSPAN_LOG_N:
      return make_any<float>(scored | log_n{.trained = of.trained} | seen);
    case LONGSPAN_SCALE_INVARIANT:
      return make_any<float>(scored | scale_invariant{.tau = of.tau} | seen);
  }
  throw std::invalid_argument("temperature must be one of longspan_temperature, not " + std::to_string(int(of.temperature)));
}

}  // namespace

const char* longspan_message(void) { return message.c_str(); }

longspan_sentence longspan_defaults(void) { return {10000, 1, 0, LONGSPAN_PLAIN, 2048, 10, PTRDIFF_MAX, 0}; }

longspan_status longspan_make_mechanism(const longspan_sentence* of, longspan_mechanism** made) {
  return guarded([&] {
    given(made, "made");
    *made = new longspan_mechanism{sentence_of(given(of, "sentence"))};
  });
}
void longspan_free_mechanism(longspan_mechanism* mechanism) { delete mechanism; }

longspan_status longspan_forward(const longspan_mechanism* mechanism, const longspan_device* device, const longspan_view* q,
                                 const longspan_view* k, const longspan_view* v, const longspan_view* output,
                                 const longspan_view* log_sum_exp) {
  return guarded([&] {
    const auto& whole = given(mechanism, "mechanism").of;
    const auto queries = viewed(q, "q"), keys = viewed(k, "k"), values = viewed(v, "v"), into = viewed(output, "output");
    if (log_sum_exp != nullptr)
      forward_into(callers_threads{device}, whole, queries, keys, values, into, viewed(log_sum_exp, "log_sum_exp"));
    else
      forward_into(callers_threads{device}, whole, queries, keys, values, into);
  });
}

longspan_status longspan_backward(const longspan_mechanism* mechanism, const longspan_device* device, const longspan_view* q,
                                  const longspan_view* k, const longspan_view* v, const longspan_view* output,
                                  const longspan_view* log_sum_exp, const longspan_view* d_output, const longspan_view* d_q,
                                  const longspan_view* d_k, const longspan_view* d_v) {
  return guarded([&] {
    const longspan::attended kept{viewed(output, "output"), viewed(log_sum_exp, "log_sum_exp")};
    backward_into(callers_threads{device}, given(mechanism, "mechanism").of, viewed(q, "q"), viewed(k, "k"), viewed(v, "v"), kept,
                  viewed(d_output, "d_output"), viewed(d_q, "d_q"), viewed(d_k, "d_k"), viewed(d_v, "d_v"));
  });
}

longspan_status longspan_make_cache(const longspan_mechanism* mechanism, ptrdiff_t key_heads, ptrdiff_t channels,
                                    ptrdiff_t value_channels, ptrdiff_t texts, longspan_cache** made) {
  return guarded([&] {
    given(made, "made");
    *made = new longspan_cache{{given(mechanism, "mechanism").of, {key_heads, channels, value_channels, texts}}};
  });
}
void longspan_free_cache(longspan_cache* cache) { delete cache; }

longspan_status longspan_append(longspan_cache* cache, const longspan_view* k, const longspan_view* v) {
  return guarded([&] {
    given(cache, "cache");
    cache->of.append(viewed(k, "k"), viewed(v, "v"));
  });
}
longspan_status longspan_truncate(longspan_cache* cache, ptrdiff_t length) {
  return guarded([&] {
    given(cache, "cache");
    cache->of.truncate(length);
  });
}
ptrdiff_t longspan_length(const longspan_cache* cache, ptrdiff_t text) {
  return cache == nullptr || text < 0 || text >= cache->of.texts() ? -1 : cache->of.length(text);
}

longspan_status longspan_forward_over_cache(const longspan_mechanism* mechanism, const longspan_device* device,
                                            const longspan_view* q, const longspan_cache* cache, const longspan_view* output,
                                            const longspan_view* log_sum_exp) {
  return guarded([&] {
    const auto& whole = given(mechanism, "mechanism").of;
    const auto queries = viewed(q, "q"), into = viewed(output, "output");
    const auto& kept = given(cache, "cache").of;
    if (log_sum_exp != nullptr)
      forward_into(callers_threads{device}, whole, queries, kept, into, viewed(log_sum_exp, "log_sum_exp"));
    else
      forward_into(callers_threads{device}, whole, queries, kept, into);
  });
}
