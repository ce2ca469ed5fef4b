#pragma once

#include <array>
#include <concepts>
#include <type_traits>
#include <utility>

#include <Eigen/Core>
#include <unsupported/Eigen/CXX11/Tensor>

#include <longspan/core/device.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/simd/widen.hpp>
#include <longspan/simd/words.hpp>
#include <longspan/tensor/attended.hpp>
#include <longspan/tensor/traits.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The only file that knows Eigen.

namespace detail {

// A view of dense memory of any rank up to four, its axes slowest first: row-major (b, h, n, d) and column-major (d, n, h, b) are
// the same bytes. A lower rank misses leading axes.
template <class S, std::size_t Rank>
view<S> dense(S* data, const std::array<index_t, Rank>& slowest_first) {
  view<S> whole{data, {1, 1, 1, 1}, {}};
  for (std::size_t axis = 0; axis < Rank; ++axis) whole.extent[4 - Rank + axis] = slowest_first[axis];
  index_t stride = 1;
  for (std::size_t axis = 4; axis-- > 0; stride *= whole.extent[axis]) whole.stride[axis] = stride;
  return whole;
}

// The last Rank of some extents, in the order of a layout.
template <int Layout, std::size_t Rank, std::size_t All>
std::array<index_t, Rank> extents_for(const std::array<index_t, All>& slowest_first) {
  std::array<index_t, Rank> extents;
  for (std::size_t axis = 0; axis < Rank; ++axis)
    extents[int(Layout) == int(Eigen::RowMajor) ? axis : Rank - 1 - axis] = slowest_first[All - Rank + axis];
  return extents;
}

template <class X>
concept eigen_tensor = requires(X& x) {
  x.data();
  x.dimensions();
  X::NumDimensions;
  typename X::Scalar;
  { X::Layout } -> std::convertible_to<int>;
};

}  // namespace detail

// Eigen::Tensor and Eigen::TensorMap of rank 2 to 4.
template <detail::eigen_tensor X>
struct tensor_traits<X> {
  static constexpr std::size_t rank = std::size_t(X::NumDimensions);
  static constexpr int layout = int(X::Layout);
  template <class S, std::size_t Rank>
  using made = Eigen::Tensor<S, int(Rank), int(X::Layout)>;

  template <class Y>
  static auto of(Y& tensor) {
    static_assert(rank >= 2 && rank <= 4, "a tensor is (batch, head, token, channel) or misses leading axes: rank 2, 3 or 4");
    return detail::dense(pointer(tensor), slowest_first(tensor));
  }
  template <class Y>
  static auto log_sum_exp_of(Y& tensor) {
    static_assert(rank >= 1 && rank <= 3,
                  "one number a row or token (log_sum_exp, forgetting) is (batch, head, token) or its last axes: rank 1 to 3");
    std::array<index_t, rank + 1> extents;
    const auto own = slowest_first(tensor);
    std::copy(own.begin(), own.end(), extents.begin());
    extents.back() = 1;
    return detail::dense(pointer(tensor), extents);
  }
  template <class S>
  static made<S, rank> make_output(const shapes& lengths) {
    return made<S, rank>(
        detail::extents_for<layout, rank>(std::array{lengths.batch, lengths.heads, lengths.queries, lengths.value_channels}));
  }
  template <class S>
  static made<S, rank - 1> make_log_sum_exp(const shapes& lengths) {
    return made<S, rank - 1>(detail::extents_for<layout, rank - 1>(std::array{lengths.batch, lengths.heads, lengths.queries}));
  }

 private:
  // To const if the tensor or its elements are: data() of a const TensorMap alone does not say so.
  template <class Y>
  static auto pointer(Y& tensor) {
    using S = typename X::Scalar;
    constexpr bool fixed = std::is_const_v<Y> || std::is_const_v<std::remove_pointer_t<decltype(tensor.data())>>;
    return static_cast<std::conditional_t<fixed, const S, S>*>(tensor.data());
  }
  // The index is a constant: tensors of dynamic and of fixed size take it with and without sign.
  static std::array<index_t, rank> slowest_first(const X& tensor) {
    const auto own = [&]<std::size_t... Axis>(std::index_sequence<Axis...>) {
      return std::array<index_t, rank>{index_t(tensor.dimensions()[Axis])...};
    };
    return detail::extents_for<layout, rank>(own(std::make_index_sequence<rank>{}));
  }
};

namespace detail {

// A matrix is one head: tokens are the rows of a row-major one, the columns of a column-major one. Maps with strides and blocks count.
template <class X>
concept eigen_matrix = requires(X& x) {
  x.data();
  x.innerStride();
  x.outerStride();
  { X::IsRowMajor } -> std::convertible_to<bool>;
} && std::derived_from<X, Eigen::DenseBase<X>>;

}  // namespace detail

template <detail::eigen_matrix X>
struct tensor_traits<X> {
  static constexpr bool row_major = X::IsRowMajor;

  template <class Y>
  static auto of(Y& matrix) {
    using S = std::remove_pointer_t<decltype(matrix.data())>;
    return view<S>{
        matrix.data(), {1, 1, matrix.outerSize(), matrix.innerSize()}, {0, 0, matrix.outerStride(), matrix.innerStride()}};
  }
  template <class Y>
  static auto log_sum_exp_of(Y& vector) {
    static_assert(X::IsVectorAtCompileTime, "one number a row or token (log_sum_exp, forgetting) is a vector, not a matrix");
    using S = std::remove_pointer_t<decltype(vector.data())>;
    return view<S>{vector.data(), {1, 1, vector.size(), 1}, {0, 0, vector.innerStride(), 1}};
  }
  template <class S>
  static auto make_output(const shapes& lengths) {
    using made = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, row_major ? Eigen::RowMajor : Eigen::ColMajor>;
    return row_major ? made(lengths.queries, lengths.value_channels) : made(lengths.value_channels, lengths.queries);
  }
  template <class S>
  static auto make_log_sum_exp(const shapes& lengths) {
    return Eigen::Matrix<S, Eigen::Dynamic, 1>(lengths.queries);
  }
};

// A view is answered with row-major tensors of rank 4 and 3.
template <class E>
struct tensor_traits<view<E>> {
  static view<E> of(const view<E>& tensor) { return tensor; }
  static view<E> log_sum_exp_of(const view<E>& tensor) { return tensor; }
  template <class S>
  static auto make_output(const shapes& lengths) {
    return Eigen::Tensor<S, 4, Eigen::RowMajor>(lengths.batch, lengths.heads, lengths.queries, lengths.value_channels);
  }
  template <class S>
  static auto make_log_sum_exp(const shapes& lengths) {
    return Eigen::Tensor<S, 3, Eigen::RowMajor>(lengths.batch, lengths.heads, lengths.queries);
  }
};

template <>
inline constexpr detail::narrow detail::narrow_format<Eigen::bfloat16> = detail::narrow::bfloat16;
template <>
inline constexpr detail::narrow detail::narrow_format<Eigen::half> = detail::narrow::half;
#if defined(LONGSPAN_MULTIPLIES_BFLOAT16)
template <>
struct detail::storage_words<Eigen::bfloat16> {
  using type = bfloat16_words;
};
#endif

// Eigen's devices: the calling thread alone, and a pool together with the calling thread. The pool's is known by its functions, since its
// name waits for EIGEN_USE_THREADS; its own enqueueing uses std::bind, and clang 19 warns that this uses what is deprecated.
namespace detail {

template <std::derived_from<Eigen::DefaultDevice> D>
struct device_traits<D> {
  static index_t threads(const D&) { return 1; }
  template <class Work>
  static void run(const D&, index_t count, const Work& work) {
    for (index_t n = 0; n < count; ++n) work(n);
  }
};

template <class D>
concept eigen_pool_device = requires(const D& d, const pool_task& task) {
  { d.numThreads() } -> std::convertible_to<index_t>;
  d.getPool()->Schedule(task);
};
template <eigen_pool_device D>
struct device_traits<D> {
  static index_t threads(const D& d) { return index_t(d.numThreads()); }
  template <class Work>
  static void run(const D& d, index_t count, const Work& work) {
    detail::run_on_pool([&](const pool_task& task) { d.getPool()->Schedule(task); }, count, work);
  }
};

}  // namespace detail

LONGSPAN_NAMESPACE_END
