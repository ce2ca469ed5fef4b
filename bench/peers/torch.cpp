#include <ATen/Parallel.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <c10/core/InferenceMode.h>
#include <torch/headeronly/version.h>

#include "peer.hpp"

namespace {

class torch_attention : public peer {
 public:
  explicit torch_attention(const peer_task& task)
      : causal_(task.causal), q_(tensor(task, task.q)), k_(tensor(task, task.k)), v_(tensor(task, task.v)) {
    at::set_num_threads(1);
  }
  void attend() override {
    const c10::InferenceMode no_gradients;
    output_ = at::scaled_dot_product_attention(q_, k_, v_, {}, 0, causal_);
  }
  // Its own order is (token, head, channel).
  const float* output() override {
    output_ = output_.contiguous();
    return output_.const_data_ptr<float>();
  }

 private:
  static at::Tensor tensor(const peer_task& task, const float* data) {
    return at::from_blob(const_cast<float*>(data), {1, task.heads, task.tokens, task.channels});
  }

  bool causal_;
  at::Tensor q_, k_, v_, output_;
};

}  // namespace

peer* make_peer(const peer_task& task) { return new torch_attention(task); }
const char* peer_version() { return "PyTorch " TORCH_VERSION; }
