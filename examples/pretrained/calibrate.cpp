// Temperatures fitted to a model's own queries and keys: longspan's calibrate, over what `sampled_rows` kept.
#include "calibrate.hpp"

#include <complex>
#include <map>
#include <numeric>

#include <longspan/longspan.hpp>

namespace pretrained {

namespace {

// Rows turn as in texts of their lengths: a rescaling that grows with the text turns each text in another way.
class turned_by_text {
 public:
  explicit turned_by_text(std::vector<longspan::ladder> of_texts) : rungs_(std::move(of_texts)) {}

  template <class T>
  void turn(std::span<T> row, const longspan::token& of) const {
    const longspan::ladder& own = rungs_[std::size_t(of.text)];
    const std::size_t pairs = own.frequencies.size();
    const bool halves = own.pairing == longspan::pairing::halves;
    for (std::size_t i = 0; i < pairs; ++i) {
      T &x = row[halves ? i : 2 * i], &y = row[halves ? i + pairs : 2 * i + 1];
      const auto turn = std::polar(own.magnitude, double(of.place) * own.frequencies[i]);
      const auto turned = std::complex(double(x), double(y)) * turn;
      x = T(turned.real()), y = T(turned.imag());
    }
  }

 private:
  std::vector<longspan::ladder> rungs_;
};

}  // namespace

longspan::calibrated_temperature fitted(const config& model, const layer_kind& kind, const mechanism& way, sampled_rows& past,
                                        const std::vector<index_t>& lengths, const fitting& how) {
  using namespace longspan;
  const std::vector as_it_is(std::size_t(model.heads), std::vector<double>(lengths.size(), 1));
  if (kind.window > 0) return {lengths, as_it_is};  // n never grows
  const index_t counted = 3 * how.block + how.rows;
  std::vector<ladder> rungs;
  std::vector<index_t> keys;
  std::vector<float> queries;
  for (const auto& [length, query] : past.samples()) {
    const auto until = std::ranges::lower_bound(lengths, length);
    if (until == lengths.end() || length <= *until - counted + how.rows - 1 || query.rows() < how.rows) continue;
    rungs.push_back(way.rungs(model, kind, way.grows() ? length : lengths.back()));
    keys.push_back(length);
    queries.insert(queries.end(), query.data(), query.data() + query.size());
  }
  const index_t texts = index_t(keys.size()), d = model.channels, width = model.heads * d;
  const view<const float> q{queries.data(), {texts, model.heads, how.rows, d}, {how.rows * width, d, width, 1}};
  view<const float> k = past.keys();  // all texts are the first tokens of one
  k.extent[0] = texts, k.stride[0] = 0;
  return calibrate(turned_by_text(rungs) | dot_product{.scale = model.scale} | causal{}, q, k,
                   {.trained = lengths.front(), .lengths = {lengths.begin() + 1, lengths.end()}, .rows = counted},
                   {.key_lengths = keys});
}

}  // namespace pretrained
