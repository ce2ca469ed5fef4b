#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <longspan/core/index.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/transform/reach.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Gradients of logits, summed by the bucket of their distance while a backward pass runs, `kinds` of them for each logit. A tile of keys
// sums each kind, for each query head, in `width` numbers of its own (mechanism/composed.hpp). A batch of keys whose distances share a
// bucket is added to a batch of sums of that bucket, one for each lane; any other to sums of its distances, which stand in falling order as
// the distances of a batch do. add_up takes the sums of all tiles of a head: the same bits for any device.
template <class T>
class bucket_sums {
  using Batch = batch<T>;
  static constexpr index_t lanes = simd::lanes<Batch>;

 public:
  // bucket_of(t) is asked for the distances that some row sees.
  template <class BucketOf>
  bucket_sums(const reach& distances, index_t kinds, index_t buckets, BucketOf bucket_of)
      : distances_(distances),
        bucket_(std::size_t(distances.touched.size() + lanes), unseen),
        place_(bucket_.size(), unseen),
        shared_(std::size_t(buckets), unseen),
        totals_(std::size_t(kinds * distances.heads * buckets), 0.0) {
    for (index_t t = distances.seen.first; t < distances.seen.last; ++t)
      bucket_[std::size_t(largest() - t)] = std::int32_t(bucket_of(t));
    for (index_t at = 0; at + lanes <= index_t(bucket_.size()); ++at) find_place(at);
  }

  const reach& distances() const { return distances_; }
  index_t width() const { return width_; }

  // Where those of one query row are added.
  struct of_row {
    const std::int32_t* place;
    index_t origin;

    // Adds a number for each of the keys from place `first` on. Lanes of hidden keys hold 0.
    void add(index_t first, const Batch& numbers, T* sums) const {
      T* const to = sums + place[origin + first];
      simd::store(to, simd::load<Batch>(to) + numbers);
    }
  };
  of_row operator()(const query_row& row) const { return {place_.data(), largest() - row.position}; }

  // Adds the sums of all tiles of a head.
  void add_up(index_t kind, index_t head, const double* sums) {
    double* const to = totals_.data() + (kind * distances_.heads + head) * index_t(shared_.size());
    for (std::size_t b = 0; b < shared_.size(); ++b)
      for (index_t l = 0; shared_[b] != unseen && l < lanes; ++l) to[b] += sums[shared_[b] + l];
    for (const sum_of_distance& each : distance_)
      if (const std::int32_t b = bucket_[std::size_t(each.at)]; b != unseen) to[b] += sums[each.sum];
  }
  double total(index_t kind, index_t head, index_t bucket) const {
    return totals_[std::size_t((kind * distances_.heads + head) * index_t(shared_.size()) + bucket)];
  }

 private:
  static constexpr std::int32_t unseen = -1;

  // The sum of one distance: where it stands in bucket_ and among the sums.
  struct sum_of_distance {
    index_t at, sum;
  };

  index_t largest() const { return distances_.touched.last - 1; }

  // Where a batch that begins at a distance is added: `at` counts as bucket_ does.
  void find_place(index_t at) {
    const std::int32_t* const each = bucket_.data() + at;
    if (lanes > 1 && each[0] != unseen && std::all_of(each, each + lanes, [=](std::int32_t b) { return b == each[0]; })) {
      std::int32_t& shared = shared_[std::size_t(each[0])];
      if (shared == unseen) shared = std::int32_t(width_), width_ += lanes;
      place_[std::size_t(at)] = shared;
      return;
    }
    // Sums of the batch before, as far as it has them, and new ones that follow.
    const bool follows = !distance_.empty() && distance_.back().at >= at && distance_.back().sum == width_ - 1;
    index_t next = follows ? distance_.back().at + 1 : at;
    place_[std::size_t(at)] = std::int32_t(width_ - (next - at));
    for (; next < at + lanes; ++next) distance_.push_back({next, width_++});
  }

  reach distances_;
  index_t width_ = 0;            // of the sums of a tile
  buffer<std::int32_t> bucket_;  // of every distance, the largest first
  buffer<std::int32_t> place_;   // of the batch that begins there, among the sums of a tile
  buffer<std::int32_t> shared_;  // of each bucket, the place of its batch of sums, if any
  buffer<sum_of_distance> distance_;
  buffer<double> totals_;  // of each kind, head and bucket
};

// The sums of a part for all sets of distances that it is bound to: one in a call, one for each part of the keys in a ring. Copies share
// them.
template <class T>
class bound_bucket_sums {
  std::shared_ptr<std::vector<std::shared_ptr<bucket_sums<T>>>> each_ =
      std::make_shared<std::vector<std::shared_ptr<bucket_sums<T>>>>();

 public:
  template <class BucketOf>
  std::shared_ptr<bucket_sums<T>> of(const reach& distances, index_t kinds, index_t buckets, BucketOf bucket_of) const {
    if (each_->empty() || each_->back()->distances() != distances)
      each_->push_back(std::make_shared<bucket_sums<T>>(distances, kinds, buckets, bucket_of));
    return each_->back();
  }
  auto begin() const { return each_->begin(); }
  auto end() const { return each_->end(); }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
