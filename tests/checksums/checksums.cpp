// Prints a number for each mechanism, storage and way through the kernel, forward and backward: the bits of what the library computes.
// A change that is to change no result leaves every line as it is. Build target longspan_checksums_<variant> before and after it and
// compare. It names public names only, so that it compiles against older versions too (with the same compiler and the same flags):
//   g++ -std=c++20 -O2 -march=native -I<tree>/include -isystem /usr/include/eigen3 tests/checksums/checksums.cpp
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <type_traits>

#include <longspan/longspan.hpp>

namespace {

using namespace longspan;

template <class T>
using tensor = Eigen::Tensor<T, 4, Eigen::RowMajor>;

// FNV-1a.
struct checksum {
  std::uint64_t sum = 0xcbf29ce484222325;
  template <class X>
  void add(const X& tensor) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(tensor.data());
    for (std::size_t i = 0; i < std::size_t(tensor.size()) * sizeof(*tensor.data()); ++i) sum = (sum ^ bytes[i]) * 0x100000001b3;
  }
};

template <class T>
tensor<T> drawn(index_t b, index_t h, index_t n, index_t d, unsigned seed, float gain = 1) {
  tensor<T> made(b, h, n, d);
  std::mt19937 generator(seed);
  for (Eigen::Index i = 0; i < made.size(); ++i) {
    float sum = -6;  // of twelve uniform numbers: the same on every machine
    for (int k = 0; k < 12; ++k) sum += float(generator() >> 8) / float(1 << 24);
    made.data()[i] = T(gain * sum);
  }
  return made;
}

template <class T>
void print(const char* pass, const std::string& mechanism, const checksum& all) {
  const char* storage = "bfloat16";
  if (std::is_same_v<T, double>) storage = "double";
  if (std::is_same_v<T, float>) storage = "float";
  if (std::is_same_v<T, Eigen::half>) storage = "half";
  std::printf("%-8s %-8s %-28s %016llx\n", pass, storage, mechanism.c_str(), static_cast<unsigned long long>(all.sum));
}

struct decay {
  float rate;
  auto operator()(const query_row& row) const {
    return [rate = rate / float(row.head + 1)](auto logit, const auto& keys) {
      return logit - rate * keys.distance() + 0.25f * tanh(logit);
    };
  }
};
struct stripes {
  std::array<interval, 3> operator()(const query_row& row) const {
    const index_t p = row.position;
    return {interval{p - 3, p + 1}, {p / 2 - 5, p / 2 + 1}, {0, 2}};
  }
};
struct by_head {
  interval operator()(const query_row& row) const {
    return {row.position - 20 * (row.head + 1) - 7 * row.batch, row.position + 1};
  }
};

template <class T, class Mechanism>
void forward_sum(const std::string& name, const Mechanism& mechanism) {
  struct size {
    index_t b, h, g, nq, nk, d, dv;
    float gain;
  };
  checksum all;
  for (const size& s : {size{2, 4, 2, 150, 150, 32, 16, 1},
                        {1, 4, 2, 700, 700, 20, 24, 3},
                        {1, 2, 1, 1, 1101, 32, 48, 1},
                        {1, 4, 1, 2, 1101, 64, 64, 10},
                        {2, 4, 2, 60, 1300, 64, 40, 1},
                        {1, 2, 2, 30, 20, 12, 10, 1}}) {
    const auto q = drawn<T>(s.b, s.h, s.nq, s.d, 1, s.gain), k = drawn<T>(s.b, s.g, s.nk, s.d, 2),
               v = drawn<T>(s.b, s.g, s.nk, s.dv, 3);
    const auto attended = forward(mechanism, q, k, v);
    all.add(attended.output), all.add(attended.log_sum_exp);
    const tensor<T> few = q.slice(Eigen::array<index_t, 4>{0, 0, 0, 0}, Eigen::array<index_t, 4>{s.b, s.h, 1, s.d});
    const auto part =
        forward(mechanism, few, k, v, placement{.first_query = s.nk / 2 + 7, .first_key = 5, .all_keys = s.nk + 20});
    all.add(part.output), all.add(part.log_sum_exp);
    const auto whole = forward(mechanism, q, k, v, placement{.first_query = s.nk / 3, .first_key = 5, .all_keys = s.nk + 20});
    all.add(whole.output), all.add(whole.log_sum_exp);
  }
  print<T>("forward", name, all);
}

template <class T, class Mechanism>
void backward_sum(const std::string& name, const Mechanism& mechanism) {
  struct size {
    index_t b, h, g, nq, nk, d, dv;
  };
  checksum all;
  for (const size& s :
       {size{2, 4, 2, 150, 150, 32, 16}, {1, 2, 1, 400, 400, 20, 24}, {1, 2, 2, 30, 20, 12, 10}, {1, 6, 2, 50, 330, 16, 16}}) {
    const auto q = drawn<T>(s.b, s.h, s.nq, s.d, 1), k = drawn<T>(s.b, s.g, s.nk, s.d, 2), v = drawn<T>(s.b, s.g, s.nk, s.dv, 3),
               g = drawn<T>(s.b, s.h, s.nq, s.dv, 4);
    const auto kept = forward(mechanism, q, k, v);
    const auto made = backward_with_parameters(mechanism, q, k, v, kept, g);
    all.add(made.d_query), all.add(made.d_key), all.add(made.d_value);
    const placement where{.first_query = s.nk / 3, .first_key = 5, .all_keys = s.nk + 20};
    const auto placed = backward(mechanism, q, k, v, forward(mechanism, q, k, v, where), g, where);
    all.add(placed.d_query), all.add(placed.d_key), all.add(placed.d_value);
  }
  print<T>("backward", name, all);
}

template <class Visit>
void for_each(Visit visit) {
  visit("everything", dot_product{} | everything{});
  visit("causal", dot_product{} | causal{});
  visit("scale-invariant p-RoPE", rms_normalize{} | p_rope{.fraction = 0.5} | dot_product{} | scale_invariant{} | causal{});
  visit("softcap and window", dot_product{} | temperature{1.5} | softcap{3} | sliding_window{40, 7});
  visit("StreamingLLM", rope{} | dot_product{} | sinks_and_window{.sinks = 4, .window = 16});
  visit("prefix, sink", dot_product{} | prefix{12} | sink{{0.5}});
  visit("own", dot_product{} | decay{0.05f} | stripes{} | causal{});
  visit("two masks of runs", dot_product{} | log_n{.trained = 64} | stripes{} | sinks_and_window{.sinks = 2, .window = 90});
  visit("by head", dot_product{} | ss_max{.scale = 0.4} | by_head{});
}

}  // namespace

int main() {
  for_each([](const char* name, const auto& mechanism) {
    forward_sum<float>(name, mechanism);
    backward_sum<float>(name, mechanism);
  });
  for_each([](const char* name, const auto& mechanism) { forward_sum<Eigen::bfloat16>(name, mechanism); });
  forward_sum<double>("own", dot_product{} | decay{0.05f} | stripes{} | causal{});
  backward_sum<double>("own", dot_product{} | decay{0.05f} | stripes{} | causal{});
  forward_sum<double>("CosScale + InfoScale", rope{} | cosine{} | cos_scale{16} | info_scale{.trained = 64} | causal{});
  backward_sum<double>("CosScale + InfoScale", rope{} | cosine{} | cos_scale{16} | info_scale{.trained = 64} | causal{});
  forward_sum<Eigen::half>("alibi", dot_product{} | alibi{} | causal{});
  backward_sum<Eigen::bfloat16>("StreamingLLM", rope{} | dot_product{} | sinks_and_window{.sinks = 4, .window = 16});
}
