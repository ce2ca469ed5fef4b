// Gradients of what a sentence learns, and of a bias that it reads.
#include <cmath>
#include <string>
#include <vector>

#include <longspan/longspan.hpp>

#include "devices.hpp"
#include "drawn_call.hpp"
#include "drawn_numbers.hpp"
#include "guarded.hpp"
#include "subjects.hpp"

namespace fuzz {
namespace {

using namespace longspan;

// They agree with differences of the definition along a drawn direction, have the same bits on any threads and in any memory, leave the
// gradients of the tensors as they are, and are 0 where -inf hides a key.
class over_learned {
  view<const double> numbers() const { return bias_.all(); }

  template <class Bias>
  auto sentence(const Bias& read) const {
    return rms_normalize{} | dot_product{} | ss_max{.scale = {0.4}} | temperature{1.5} | read |
           sliding_window{window_, window_ / 3} | sink{0.5};
  }

  struct gradients_of_tensors {
    guarded<double> q, k, v;

    gradients_of_tensors(drawn& from, const drawn_call& call)
        : q(from, call.of_queries()), k(from, call.of_keys()), v(from, call.of_values()) {}
    bool same(const gradients_of_tensors& other) const {
      return same_numbers(q.all(), other.q.all()) && same_numbers(k.all(), other.k.all()) && same_numbers(v.all(), other.v.all());
    }
  };

 public:
  explicit over_learned(drawn& from)
      : from_(from),
        call_(from, 90),
        window_(from.between(0, 90)),
        normal_(from, false),
        q_(from, call_.of_queries(), call_.queries_lie),
        k_(from, call_.of_keys(), call_.keys_lie),
        v_(from, call_.of_values(), call_.keys_lie),
        d_output_(from, call_.of_output(), {.broadcast = true}),
        output_(from, call_.of_output()),
        d_sums_(from, call_.of_sums()),
        sums_(from, call_.of_sums()),
        bias_(from, broadcast(from, {call_.batch, call_.heads, call_.queries, call_.keys})) {
    for (guarded<double>* each : {&q_, &k_, &v_, &d_output_, &d_sums_, &bias_}) normal_.fill(*each);
    if (from.once_in(3))
      for_each_index(bias_.all().extent, [&](auto... i) {
        if (normal_.generator() % 8 == 0) at(bias_.all(), i...) = -std::numeric_limits<double>::infinity();
      });
  }

  void hold_all() {
    const auto plain = sentence(bias{numbers()});
    forward_into(drawn_device{}, plain, q_.all(), k_.all(), v_.all(), output_.all(), sums_.all(), call_.where());
    gradients_of_tensors without(from_, call_), made(from_, call_), again(from_, call_);
    backward_into(drawn_device{}, plain, q_.all(), k_.all(), v_.all(), attended{output_.all(), sums_.all()},
                  attended{d_output_.all(), d_sums_.all()}, without.q.all(), without.k.all(), without.v.all(), call_.where());

    guarded<double> d_bias(from_, bias_.all().extent), d_bias_again(from_, bias_.all().extent);
    const std::vector<double> learned = run(d_bias, made), learned_again = run(d_bias_again, again);
    hold(made.same(again) && same_numbers(d_bias.all(), d_bias_again.all()) && learned == learned_again,
         "other bits on other threads or in other memory");
    hold(made.same(without), "other gradients where that of the bias is asked for");
    for_each_index(bias_.all().extent, [&](auto... i) {
      hold(at(bias_.all(), i...) != -std::numeric_limits<double>::infinity() || at(d_bias.all(), i...) == 0,
           "a gradient of a bias that hides its key");
    });
    agrees_with_differences(plain, d_bias, learned);
  }

  std::string words() const { return "gradients of bias and learned numbers, " + call_.words(); }

 private:
  // Writes the gradients; returns those of the learned numbers.
  std::vector<double> run(guarded<double>& d_bias, gradients_of_tensors& to) {
    for (guarded<double>* each : {&d_bias, &to.q, &to.k, &to.v}) each->fill(-7, [] { return -7.0; }), each->seal();
    const auto whole = sentence(bias{numbers(), d_bias.all()});
    auto d_whole = whole;
    backward_with_parameters_into(drawn_device(from_), whole, q_.all(), k_.all(), v_.all(), attended{output_.all(), sums_.all()},
                                  attended{d_output_.all(), d_sums_.all()}, to.q.all(), to.k.all(), to.v.all(), d_whole,
                                  call_.where());
    for (const guarded<double>* each : {&d_bias, &to.q, &to.k, &to.v})
      hold(each->unchanged_outside(), "written outside of gradients");
    std::vector<double> learned;
    for_each_learned(d_whole, [&](double& number) { learned.push_back(number); });
    return learned;
  }

  template <class Mechanism>
  double loss(const Mechanism& whole) const {
    const auto exact = reference::attention(whole, q_.all(), k_.all(), v_.all(), call_.where());
    double sum = 0;
    std::size_t n = 0;
    for_each_index(call_.of_output(), [&](auto... i) { sum += exact.output.data()[n++] * at(d_output_.all(), i...); });
    n = 0;
    for_each_index(call_.of_sums(), [&](auto... i) {
      const double one = exact.log_sum_exp.data()[n++];
      if (std::isfinite(one)) sum += one * at(d_sums_.all(), i...);
    });
    return sum;
  }

  template <class Mechanism>
  void agrees_with_differences(const Mechanism& plain, const guarded<double>& d_bias, const std::vector<double>& learned) {
    constexpr double step = 1e-6;
    std::normal_distribution<double> normal;
    const auto expect = [](const char* words, double slope, double scale, double wanted) {
      hold(std::abs(slope - wanted) <= 1e-5 * (scale + 100),
           std::string(words) + " have slope " + std::to_string(slope) + " for " + std::to_string(wanted));
    };
    guarded<double> above(bias_.all().extent), below(bias_.all().extent);
    double slope = 0, scale = 1;
    for_each_index(bias_.all().extent, [&](auto... i) {
      const double number = at(bias_.all(), i...), direction = std::isfinite(number) ? normal(normal_.generator) : 0;
      at(above.all(), i...) = number + step * direction, at(below.all(), i...) = number - step * direction;
      slope += direction * at(d_bias.all(), i...), scale += std::abs(direction * at(d_bias.all(), i...));
    });
    expect("biases", slope, scale,
           (loss(sentence(bias{std::as_const(above).all()})) - loss(sentence(bias{std::as_const(below).all()}))) / (2 * step));

    auto more = plain, less = plain;
    slope = 0, scale = 1;
    std::size_t n = 0;
    for_each_learned(more, less, [&](double& up, double& down) {
      const double direction = normal(normal_.generator);
      up += step * direction, down -= step * direction;
      slope += direction * learned[n], scale += std::abs(direction * learned[n]), ++n;
    });
    expect("learned numbers", slope, scale, (loss(more) - loss(less)) / (2 * step));
  }

  drawn& from_;
  drawn_call call_;
  index_t window_;
  drawn_numbers normal_;
  guarded<double> q_, k_, v_, d_output_, output_, d_sums_, sums_, bias_;
};

}  // namespace

void hold_learned(drawn& from) { fuzz::hold_all(over_learned(from)); }

}  // namespace fuzz
