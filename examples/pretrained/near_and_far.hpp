#pragma once

#include <vector>

#include "kept.hpp"

namespace pretrained {

// Near and far keys apart, put together by their log-sum-exps. near and far are called with an output and a log_sum_exp.
void attend_in_two(const heads_out& output, const auto& near, const auto& far) {
  const index_t h = output.extent[1], n = output.extent[2], d = output.extent[3];
  std::vector<float> other(std::size_t(h * n * d)), sums(std::size_t(2 * h * n));
  const heads_out of_far{other.data(), output.extent, {h * n * d, n * d, d, 1}};
  const heads_out sum{sums.data(), {1, h, n, 1}, {h * n, n, 1, 1}}, far_sum{sums.data() + h * n, sum.extent, sum.stride};
  near(output, sum);
  far(of_far, far_sum);
  longspan::merge_into(longspan::attended{output, sum}, longspan::attended{of_far, far_sum});
}

}  // namespace pretrained
