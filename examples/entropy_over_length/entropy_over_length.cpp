// How the entropy of attention grows with the number of keys, beside what the papers say: the top row of Figure 1 and Figure 2 of
// arXiv 2505.17083 on Gaussian logits, and InfoScale (arXiv 2501.08570) beside LogN on random directions.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <longspan/longspan.hpp>

#include "../program.hpp"
#include "expected.hpp"

using Eigen::Index;
using Tensor = Eigen::Tensor<double, 4, Eigen::RowMajor>;

const Eigen::ThreadPoolDevice& all_cores() {
  static Eigen::ThreadPool pool(int(std::max(1u, std::thread::hardware_concurrency())));
  static const Eigen::ThreadPoolDevice device(&pool, pool.NumThreads());
  return device;
}

Tensor gaussian(Index heads, Index tokens, Index channels) {
  static std::mt19937_64 source(1);
  std::normal_distribution<double> normal;
  Tensor rows(1, heads, tokens, channels);
  std::generate(rows.data(), rows.data() + rows.size(), [&] { return normal(source); });
  return rows;
}

// The keys from `first` tokens back on, up to `last`, which is not among them.
struct tokens_back {
  Index first, last;
  longspan::interval operator()(const longspan::query_row& row) const {
    return {row.position + 1 - last, row.position + 1 - first};
  }
};

// Means over the heads: of the entropy, and of the share of all weight that the last 100 keys have.
struct measured {
  double entropy = 0, near = 0;

  void add(const measured& other, double share) { entropy += share * other.entropy, near += share * other.near; }
};

template <class Sentence>
struct scheme {
  std::string name;
  Sentence sentence;
};
template <class Sentence>
scheme(std::string, Sentence) -> scheme<Sentence>;

// The entropy is log sum exp(z) less the mean logit, which is the derivative of that by a temperature of the finished logits.
measured measure(const auto& sentence, const Tensor& q, const Tensor& k, const tokens_back& range) {
  using namespace longspan;
  const auto mechanism = sentence | temperature{1} | range;
  const auto kept = forward(all_cores(), mechanism, q, k, k);
  const Tensor nothing = kept.output.constant(0);
  const std::remove_const_t<decltype(kept.log_sum_exp)> one = kept.log_sum_exp.constant(1);
  const auto slopes = backward_with_parameters(all_cores(), mechanism, q, k, k, kept, attended{nothing, one}).d_mechanism;
  constexpr std::size_t last_transform = std::tuple_size_v<decltype(slopes.parts)> - 2;
  const auto near = forward(all_cores(), sentence | temperature{1} | tokens_back{0, 100}, q, k, k).log_sum_exp;
  measured sums;
  for (Index h = 0; h < kept.log_sum_exp.size(); ++h) {
    sums.entropy += kept.log_sum_exp.data()[h];
    sums.near += std::exp(near.data()[h] - kept.log_sum_exp.data()[h]);
  }
  const double heads = double(kept.log_sum_exp.size());
  return {(sums.entropy - std::get<last_transform>(slopes.parts).factor.value) / heads, sums.near / heads};
}

// Rows of the table: what, by which scheme, where, and what is expected of it, which is known for some.
class table {
 public:
  explicit table(const std::filesystem::path& file) : csv_(file) {
    if (!(csv_ << "what,scheme,at,measured,expected\n" << std::flush)) throw std::runtime_error("cannot write " + file.string());
  }
  ~table() { std::fprintf(stderr, "\r\033[K"); }

  void row(const std::string& what, const std::string& scheme, Index at, double value, double tolerance) {
    const auto known = expected.find({what, scheme, at});
    std::fprintf(stderr, "\r\033[K");
    std::printf("%-18s %-16s %8td %9.4f", what.c_str(), scheme.c_str(), at, value);
    csv_ << what << ',' << scheme << ',' << at << ',' << value << ',';
    if (known != expected.end()) {
      std::printf(" %9.4f", known->second);
      csv_ << known->second;
      if (!(std::abs(value - known->second) <= tolerance)) wrong_ = true, std::printf("  differs");
    }
    std::printf("\n");
    csv_ << std::endl;
    std::fprintf(stderr, "after %s of %s at %td ...", what.c_str(), scheme.c_str(), at);
  }
  bool wrong() const { return wrong_; }

 private:
  std::ofstream csv_;
  bool wrong_ = false;
};

struct question {
  std::string what;
  Index at;
  tokens_back range;
};

// Answers them by every scheme from the same logits: independent ones, N(0, 1), are the scores of one channel with queries of one, a head
// for each sample. As many samples as the paper has, in heads whose keys are 2 MiB at a time.
void ask(table& out, double effort, Index keys, const std::vector<question>& questions, const auto&... scheme) {
  const Index samples = Index(std::ceil(effort * std::clamp(4e7 / double(keys), 100.0, 2000.0)));
  std::map<std::pair<std::string, std::size_t>, measured> sums;
  for (Index left = samples, heads; left > 0; left -= heads) {
    heads = std::min(left, std::max<Index>((Index(1) << 18) / keys, 2));
    const Tensor k = gaussian(heads, keys, 1);
    Tensor q(1, heads, 1, 1);
    q.setConstant(1);
    for (std::size_t each = 0; each < questions.size(); ++each)
      (sums[{scheme.name, each}].add(measure(scheme.sentence, q, k, questions[each].range), double(heads) / double(samples)),
       ...);
  }
  // The entropies of single rows spread by half a nat to one around their mean, and the paper's means have an error too. A share of the
  // weight spreads at most as a coin does that falls with its chance.
  const double slack = 3 * std::sqrt(1 / double(samples) + effort / double(samples));
  for (const auto& [key, mean] : sums) {
    const auto& [what, at, range] = questions[key.second];
    out.row(what, key.first, at, mean.entropy, slack);
    if (range.first == 0) out.row("near", key.first, at, mean.near, slack * std::sqrt(mean.near * (1 - mean.near)));
  }
}

void scale_invariant_paper(table& out, double effort, const auto&... scheme) {
  for (const Index keys : {1000, 10000, 100000}) {
    std::vector<question> figure_1 = {{"entropy", keys, {0, keys}}};
    for (Index first = 10; first < keys; first *= 10)
      figure_1.push_back({"H up to " + std::to_string(10 * first), keys, {first, 10 * first}});
    ask(out, effort, keys, figure_1, scheme...);
  }
  for (Index first = 10; first <= 100000; first *= 10) {
    std::vector<question> figure_2;
    for (const Index factor : {2, 5, 10})
      figure_2.push_back({"figure 2 D = " + std::to_string(factor), first, {first, factor * first}});
    ask(out, effort / 2, 10 * first, figure_2, scheme...);
  }
}

// 256 heads share the keys, random directions of 128 channels; the gain says how peaked attention is.
void info_scale_paper(table& out, const std::string& scheme, double gain, const auto& sentence) {
  for (Index keys = 64; keys <= 16384; keys *= 4)
    out.row("gain " + std::to_string(gain).substr(0, 4), scheme, keys,
            measure(sentence, gaussian(256, 1, 128), gaussian(1, keys, 128), {0, keys}).entropy,
            0.2);  // all queries share the keys
}

// False where a number is not what is expected.
bool run(const std::filesystem::path& results, double effort) {
  using namespace longspan;
  table out(results / "entropy_over_length.csv");
  const dot_product logits{.scale = 1};
  scale_invariant_paper(out, effort, scheme{"none", logits}, scheme{"LogN", logits | ss_max{.scale = 0.4, .all_keys = true}},
                        scheme{"scale-invariant", logits | scale_invariant{}});
  for (const double gain : {1.0, 2.88, 5.0}) {
    const auto base = rms_normalize{} | dot_product{} | temperature{gain};
    info_scale_paper(out, "none", gain, base);
    info_scale_paper(out, "LogN", gain, base | log_n{.trained = 64});
    info_scale_paper(out, "InfoScale", gain, base | info_scale{.trained = 64});
  }
  return !out.wrong();
}

int main(int count, char** words) {
  CLI::App app("The entropy of attention over its length, beside the figures of two papers, in less than a minute.");
  std::filesystem::path results = ".";
  double effort = 1;
  add_results(app, results);
  app.add_option("--effort", effort, "samples, as a share of the papers': with few, some differ by chance")
      ->check(CLI::Range(0.01, 10.0))
      ->capture_default_str();
  CLI11_PARSE(app, count, words);
  return reporting("entropy_over_length", results, [&] { return run(results, effort) ? 0 : 1; });
}
