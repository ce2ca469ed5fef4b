// What keeps a model trained with RoPE within the distances it knows: a window, and the first keys beside it.
#include <algorithm>
#include <cmath>
#include <span>

#include "contender.hpp"

namespace {

using namespace longspan;

// RoPE for keys that are seen from far away. In a cache that keeps them in front of the window, key j stands at j, and the query at the
// last place; with the distance cut off at a length, all of them are that far away.
struct rope_from_afar {
  index_t last;
  bool all_as_far;

  template <class T>
  void turn(std::span<T> row, index_t position) const {
    const std::size_t half = row.size() / 2;
    const index_t place = position >= last ? last : all_as_far ? 0 : position;
    for (std::size_t i = 0; i < half; ++i) {
      const double angle = double(place) * std::pow(10000.0, -double(i) / double(half));
      const T c = T(std::cos(angle)), s = T(std::sin(angle)), x = row[i], y = row[i + half];
      row[i] = c * x - s * y;
      row[i + half] = s * x + c * y;
    }
  }
};

// The first keys, where a window does not reach them.
struct before_the_window {
  index_t sinks, window;
  interval operator()(const query_row& row) const { return {0, std::min(sinks, row.position + 1 - window)}; }
};

// Attends to the window and to the sinks, each with its own positions, and merges both.
struct sinks_beside_window : model::attention {
  index_t sinks, window;
  rope_from_afar positions;
  sinks_beside_window(index_t s, index_t w, rope_from_afar p) : sinks(s), window(w), positions(p) {}

  void forward(const inputs& in, const results& out) const override {
    const auto [q, k, v, numbers] = in;
    const auto near = rms_normalize{} | rope{} | dot_product{} | sliding_window{window - 1};
    const auto far = rms_normalize{} | positions | dot_product{} | before_the_window{sinks, window};
    // The far keys are the first few, so the placement of the queries must be told.
    rows first_k = k, first_v = v;
    first_k.extent[2] = first_v.extent[2] = std::min(sinks, k.extent[2]);
    model::Matrix far_output(q.extent[0] * q.extent[2], q.extent[1] * v.extent[3]), far_sum(far_output.rows(), q.extent[1]);
    const written o = model::heads_of(far_output, q.extent[2], q.extent[1], v.extent[3]);
    const written l = model::heads_of(far_sum, q.extent[2], q.extent[1], 1);
    forward_into(near, q, k, v, out.output, out.log_sum_exp);
    forward_into(far, q, first_k, first_v, o, l, placement{.first_query = 0, .first_key = 0, .all_keys = k.extent[2]});
    merge_into(out, results{o, l});
  }
};

}  // namespace

std::vector<contender> windowed(Index m) {
  const auto beside = [](std::string name, index_t sinks, index_t window, rope_from_afar positions) {
    return contender{std::move(name), "RoPE",
                     [=](Index) { return std::make_unique<sinks_beside_window>(sinks, window, positions); }};
  };
  return {
      untrained("RoPE + window", "RoPE", [=](Index) { return rms_normalize{} | rope{} | dot_product{} | sliding_window{m - 1}; }),
      beside("RoPE + StreamingLLM", 4, m - 4, {m - 1, false}),  // a cache of m keys
      beside("RoPE + LM-Infinite", 10, m, {m, true}),
  };
}
