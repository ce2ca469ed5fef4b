#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include <longspan/longspan.hpp>

#include "heads.hpp"

namespace model {

// Attention as a layer calls it, whatever the mechanism, so that a model is compiled once and not for every mechanism.
class attention {
 public:
  using rows = longspan::view<const float>;
  using written = longspan::view<float>;
  using kept = longspan::attended<rows, rows>;
  using results = longspan::attended<written, written>;

  // The numbers are learned by the layer, one for each head, for mechanisms that have some.
  struct inputs {
    rows query, key, value;
    std::span<const float> numbers;
  };
  // The gradients of the numbers are added to what is there, the others overwrite it.
  struct gradients {
    written query, key, value;
    std::span<float> numbers;
  };

  virtual ~attention() = default;
  virtual void forward(const inputs& in, const results& out) const = 0;
  virtual void backward(const inputs&, const kept&, const rows& /* d_output */, const gradients&) const {
    throw std::logic_error("this mechanism serves models that were trained with another one");
  }
  // What a pass of training, by its number, has in the place of this; none is this itself.
  virtual std::unique_ptr<attention> of_pass(std::uint64_t) const { return nullptr; }
};

// A mechanism of longspan's that models are evaluated with.
template <class Mechanism>
struct evaluated : attention {
  Mechanism mechanism;
  explicit evaluated(Mechanism m) : mechanism(std::move(m)) {}

  void forward(const inputs& in, const results& out) const override {
    longspan::forward_into(mechanism, in.query, in.key, in.value, out.output, out.log_sum_exp);
  }
};

// One that they are trained with, too.
template <class Mechanism>
struct trained : evaluated<Mechanism> {
  explicit trained(Mechanism m) : evaluated<Mechanism>(std::move(m)) {}

  void backward(const attention::inputs& in, const attention::kept& from_forward, const attention::rows& d_output,
                const attention::gradients& d) const override {
    longspan::backward_into(this->mechanism, in.query, in.key, in.value, from_forward, d_output, d.query, d.key, d.value);
  }
};

// One whose only learned numbers are those of the layer: family(numbers) is the mechanism.
template <class Family>
struct learning : attention {
  Family family;
  explicit learning(Family f) : family(std::move(f)) {}

  void forward(const inputs& in, const results& out) const override {
    longspan::forward_into(with(in.numbers), in.query, in.key, in.value, out.output, out.log_sum_exp);
  }
  void backward(const inputs& in, const kept& from_forward, const rows& d_output, const gradients& d) const override {
    const auto mechanism = with(in.numbers);
    auto d_mechanism = mechanism;
    longspan::backward_with_parameters_into(mechanism, in.query, in.key, in.value, from_forward, d_output, d.query, d.key,
                                            d.value, d_mechanism);
    std::size_t h = 0;
    longspan::for_each_learned(d_mechanism, [&](double slope) { d.numbers[h++] += float(slope); });
  }

 private:
  auto with(std::span<const float> numbers) const {
    return family(longspan::per_head(std::vector<double>(numbers.begin(), numbers.end())));
  }
};

}  // namespace model
