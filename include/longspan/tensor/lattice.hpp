#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <utility>

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The sums x_1 s_1 + x_2 s_2 + ... with 0 <= x_a <= most_a: where the strides of a tensor lead from its first element, and, with the
// strides of another added negative, how far elements of the two lie apart.
class lattice {
 public:
  static constexpr std::size_t most_axes = 8;

  void add(index_t stride, index_t most) {
    if (stride == 0 || most <= 0) return;
    if (stride < 0) least_ += stride * most, stride = -stride;
    axes_[count_++] = {stride, most, stride, 0};
    reach_ += stride * most;
  }

  // Whether a sum lies in [low, high]. Exact, and quick where strides nest, as those of slots, heads, tokens and texts in one buffer do:
  // two branches an axis at most. The general question is a knapsack's: true where `work` steps did not decide it.
  bool meets(index_t low, index_t high, index_t work = 10000) {
    low -= least_, high -= least_;
    if (std::max<index_t>(low, 0) > std::min(high, reach_)) return false;
    combine();
    return search(0, low, high, work);
  }

 private:
  struct axis {
    index_t stride, most;
    index_t divisor, reach;  // the greatest common divisor and the largest sum of this axis and those after it
  };

  // Axes by descending stride. One whose stride is a multiple of a smaller axis' stride, and leads at most to where that ends, goes on
  // with it: together they reach the same sums as one longer axis.
  void combine() {
    std::sort(axes_.begin(), axes_.begin() + count_, [](const axis& a, const axis& b) { return a.stride < b.stride; });
    const std::size_t all = std::exchange(count_, 0);
    for (std::size_t next = 0; next < all; ++next) {
      const axis large = axes_[next];
      const auto goes_on = [&](const axis& small) {
        return large.stride % small.stride == 0 && large.stride / small.stride <= small.most + 1;
      };
      const auto small = std::find_if(axes_.begin(), axes_.begin() + count_, goes_on);
      if (small != axes_.begin() + count_)
        small->most += large.stride / small->stride * large.most;
      else
        axes_[count_++] = large;
    }
    std::reverse(axes_.begin(), axes_.begin() + count_);
    for (std::size_t a = count_; a-- > 0;) {
      const axis after = a + 1 < count_ ? axes_[a + 1] : axis{};
      axes_[a].divisor = std::gcd(axes_[a].stride, after.divisor);
      axes_[a].reach = axes_[a].stride * axes_[a].most + after.reach;
    }
  }

  bool search(std::size_t from, index_t low, index_t high, index_t& work) const {
    if (from == count_) return low <= 0 && 0 <= high;
    const axis& own = axes_[from];
    low = std::max<index_t>(low, 0), high = std::min(high, own.reach);
    if (low > high || high / own.divisor * own.divisor < low) return false;
    if (from + 1 == count_) return true;
    const index_t beyond = low - axes_[from + 1].reach;  // what the axes after it cannot reach alone
    const index_t first = beyond > 0 ? (beyond + own.stride - 1) / own.stride : 0, last = std::min(own.most, high / own.stride);
    for (index_t x = first; x <= last; ++x)
      if (--work < 0 || search(from + 1, low - x * own.stride, high - x * own.stride, work)) return true;
    return false;
  }

  std::array<axis, most_axes> axes_;
  std::size_t count_ = 0;
  index_t least_ = 0, reach_ = 0;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
