// PoSE: trained at a short context whose positions skip, so that every distance up to 64 times its length is met.
#include <cstdint>
#include <memory>
#include <random>

#include "contender.hpp"

namespace {

using namespace longspan;

auto turned_by(const auto& rotation) { return rms_normalize{} | rotation | dot_product{} | causal{}; }
using plain = decltype(turned_by(rope{}));

struct skipping : model::trained<plain> {
  Index m, target;
  skipping(Index length, Index longest) : model::trained<plain>(turned_by(rope{})), m(length), target(longest) {}

  std::unique_ptr<model::attention> of_pass(std::uint64_t pass) const override {
    std::mt19937_64 generator(pass);
    return std::make_unique<model::trained<decltype(turned_by(rope{}.at(pose(m, target, generator))))>>(
        turned_by(rope{}.at(pose(m, target, generator))));
  }
};

}  // namespace

std::vector<contender> with_skipped_positions(Index m) {
  return {{"PoSE", "PoSE", [=](Index) { return std::make_unique<skipping>(m, 64 * m); }}};
}
