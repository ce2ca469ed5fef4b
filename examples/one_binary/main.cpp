// One binary, compiled for several instruction sets: which one runs here, how long attention takes, and what choosing costs.
//   one_binary [tokens]         LONGSPAN_AT_MOST=v3 one_binary
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <vector>

#include "attention.hpp"

namespace {

template <class Work>
double seconds(Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The first row sees its own key alone: its output is that key's value, whatever the rotation.
double worst_of_first_row(const std::vector<float>& v, const std::vector<float>& output, long channels) {
  double worst = 0;
  for (long c = 0; c < channels; ++c) worst = std::max(worst, double(std::abs(v[std::size_t(c)] - output[std::size_t(c)])));
  return worst;
}

}  // namespace

int main(int count, char** arguments) {
  const long heads = 8, tokens = count > 1 ? std::atol(arguments[1]) : 512, channels = 64;
  const auto numbers = [&](float step) {
    std::vector<float> made(std::size_t(heads * tokens * channels));
    for (std::size_t i = 0; i < made.size(); ++i) made[i] = std::sin(step * float(i % 10007));
    return made;
  };
  const std::vector<float> q = numbers(0.37f), k = numbers(0.73f), v = numbers(0.19f);
  std::vector<float> output(q.size());
  const auto run = [&] { attend(q.data(), k.data(), v.data(), output.data(), heads, tokens, channels); };

  double best = INFINITY;
  for (int turn = 0; turn < 20; ++turn) best = std::min(best, seconds(run));
  // A function that does nothing: what is left is choosing and calling.
  const int calls = 1000000;
  long all = 0;
  const double call = seconds([&] {
    for (int n = 0; n < calls; ++n) all += lanes();
  });

  double sum = 0;
  for (const float each : output) sum += each;
  const double worst = worst_of_first_row(v, output, channels);
  std::cout << longspan::isa_variant() << ", " << lanes() << " floats at once: " << tokens << " tokens in " << 1e3 * best
            << " ms, a chosen call " << 1e9 * call / calls << " ns, sum " << sum << '\n';
  return worst <= 1e-6 && std::isfinite(sum) && all == calls * lanes() ? 0 : 1;
}
