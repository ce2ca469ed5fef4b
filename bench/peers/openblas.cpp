#include <cblas.h>

#include <string>

#include "unfused.hpp"

namespace {

// One thread, because the program sets OPENBLAS_NUM_THREADS before it opens this module.
struct openblas {
  void scores(const_matrix_map q, const_matrix_map k, matrix_map s, float scale) {
    multiply(CblasTrans, scale, q, k, int(k.cols()), s);
  }
  void softmax(matrix_map s) { softmax_rows(s); }
  void output(matrix_map s, const_matrix_map v, matrix_map o) { multiply(CblasNoTrans, 1, s, v, int(v.cols()), o); }

 private:
  template <class Left>
  static void multiply(CBLAS_TRANSPOSE right, float scale, const Left& a, const_matrix_map b, int b_stride, matrix_map c) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, right, int(c.rows()), int(c.cols()), int(a.cols()), scale, a.data(), int(a.cols()),
                b.data(), b_stride, 0, c.data(), int(c.cols()));
  }
};

}  // namespace

peer* make_peer(const peer_task& task) { return new unfused<openblas>(task); }
const char* peer_version() {
  static const std::string version = std::string(openblas_get_config()) + " on " + openblas_get_corename();
  return version.c_str();
}
