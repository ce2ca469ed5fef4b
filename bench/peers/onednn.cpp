#include <array>
#include <map>
#include <string>

#include <oneapi/dnnl/dnnl.hpp>

#include "unfused.hpp"

namespace {

using dnnl::memory;

memory::desc row_major(long rows, long columns) { return {{rows, columns}, memory::data_type::f32, memory::format_tag::ab}; }
memory::desc column_major(long rows, long columns) { return {{rows, columns}, memory::data_type::f32, memory::format_tag::ba}; }

#if DNNL_VERSION_MAJOR < 3
dnnl::primitive make_product(const dnnl::engine& engine, const memory::desc& a, const memory::desc& b, const memory::desc& c) {
  return dnnl::matmul({{a, b, c}, engine});
}
dnnl::primitive make_softmax(const dnnl::engine& engine, const memory::desc& s) {
  return dnnl::softmax_forward({{dnnl::prop_kind::forward_inference, s, 1}, engine});
}
#else
dnnl::primitive make_product(const dnnl::engine& engine, const memory::desc& a, const memory::desc& b, const memory::desc& c) {
  return dnnl::matmul({engine, a, b, c});
}
dnnl::primitive make_softmax(const dnnl::engine& engine, const memory::desc& s) {
  return dnnl::softmax_forward({engine, dnnl::prop_kind::forward_inference, dnnl::algorithm::softmax_accurate, s, s, 1});
}
#endif

// One thread, because the program sets OMP_NUM_THREADS before it opens this module.
class onednn {
 public:
  // The queries are scaled instead of the scores, for which the versions of oneDNN have different words.
  void scores(const_matrix_map q, const_matrix_map k, matrix_map s, float scale) {
    scaled_ = scale * q;
    const const_matrix_map scaled(scaled_.data(), q.rows(), q.cols());
    multiply(products_with_keys_, scaled, k.data(), column_major(k.cols(), k.rows()), s);
  }
  void softmax(matrix_map s) {
    const memory::desc shape = row_major(s.rows(), s.cols());
    dnnl::primitive& step = softmaxes_[{s.rows(), s.cols()}];
    if (!step) step = make_softmax(engine_, shape);
    const memory weights(shape, engine_, s.data());
    run(step, {{DNNL_ARG_SRC, weights}, {DNNL_ARG_DST, weights}});
  }
  void output(matrix_map s, const_matrix_map v, matrix_map o) {
    multiply(products_with_values_, s, v.data(), row_major(v.rows(), v.cols()), o);
  }

 private:
  // By rows of queries and number of keys: a primitive compiles its code when it is made.
  using primitives = std::map<std::array<long, 2>, dnnl::primitive>;

  template <class Left>
  void multiply(primitives& made, const Left& a, const float* b, const memory::desc& b_shape, matrix_map c) {
    const memory::desc a_shape = row_major(a.rows(), a.cols()), c_shape = row_major(c.rows(), c.cols());
    dnnl::primitive& step = made[{a.rows(), std::max(a.cols(), c.cols())}];
    if (!step) step = make_product(engine_, a_shape, b_shape, c_shape);
    run(step, {{DNNL_ARG_SRC, {a_shape, engine_, const_cast<float*>(a.data())}},
               {DNNL_ARG_WEIGHTS, {b_shape, engine_, const_cast<float*>(b)}},
               {DNNL_ARG_DST, {c_shape, engine_, c.data()}}});
  }
  void run(const dnnl::primitive& step, const std::unordered_map<int, memory>& arguments) {
    step.execute(stream_, arguments);
    stream_.wait();
  }

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  matrix scaled_;
  primitives products_with_keys_, softmaxes_, products_with_values_;
};

}  // namespace

peer* make_peer(const peer_task& task) { return new unfused<onednn>(task); }
const char* peer_version() {
  const dnnl_version_t* it = dnnl_version();
  static const std::string version =
      "oneDNN " + std::to_string(it->major) + "." + std::to_string(it->minor) + "." + std::to_string(it->patch);
  return version.c_str();
}
