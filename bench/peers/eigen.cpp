#include "unfused.hpp"

namespace {

struct eigen {
  void scores(const_matrix_map q, const_matrix_map k, matrix_map s, float scale) { s.noalias() = scale * q * k.transpose(); }
  void softmax(matrix_map s) { softmax_rows(s); }
  void output(matrix_map s, const_matrix_map v, matrix_map o) { o.noalias() = s * v; }
};

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

}  // namespace

peer* make_peer(const peer_task& task) { return new unfused<eigen>(task); }
const char* peer_version() {
  return "Eigen " TEXT(EIGEN_WORLD_VERSION) "." TEXT(EIGEN_MAJOR_VERSION) "." TEXT(EIGEN_MINOR_VERSION);
}
