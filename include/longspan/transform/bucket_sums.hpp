#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/shape.hpp>
#include <longspan/transform/reach.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Gradients of logits, summed by the bucket of their distance while a backward pass runs. One thread takes the rows of a head past a tile
// of keys, so each text, head and tile has sums of its own, and finish adds them up: the same bits for any device. A batch of keys whose
// distances share a bucket is added to a batch of sums, one for each lane; a batch of consecutive buckets to consecutive sums, which stand
// in falling order as the distances do; any other lane by lane.
template <class T>
class bucket_sums {
  using Batch = batch<T>;
  static constexpr index_t lanes = simd::lanes<Batch>, tile_keys = tile_shape<T>::backward_key_rows;

 public:
  // bucket_of(t) is asked for the distances that some row sees, of calls of at most so many keys.
  template <class BucketOf>
  bucket_sums(const reach& distances, index_t keys, index_t buckets, BucketOf bucket_of)
      : largest_(distances.touched.last - 1),
        buckets_(buckets),
        heads_(distances.heads),
        tiles_(std::max<index_t>((keys + tile_keys - 1) / tile_keys, 1)),
        bucket_(std::size_t(distances.touched.size() + lanes), unseen),
        batch_(bucket_.size(), by_lane),
        shared_(std::size_t(buckets), none) {
    for (index_t t = distances.seen.first; t < distances.seen.last; ++t)
      bucket_[std::size_t(largest_ - t)] = std::int32_t(bucket_of(t));
    for (std::size_t at = 0; at + std::size_t(lanes) <= bucket_.size(); ++at) batch_[at] = batch_at(at);
    width_ = shares_ * lanes + buckets_;
    sums_.assign(std::size_t(distances.texts * heads_ * tiles_ * width_), T(0));
  }

  // Those of one query row.
  struct of_row {
    const std::int32_t *bucket, *batch;
    T* sums;
    index_t origin, first_key, last_bucket, width, shares;

    // Adds a number for each of the keys from place `first` on. Lanes of hidden keys hold 0.
    void add(index_t first, const Batch& numbers) const {
      const index_t at = origin + first;
      T* const own = sums + (first - first_key) / tile_keys * width;
      if (const std::int32_t to = batch[at]; to != by_lane) [[likely]]
        add_to(to >= 0 ? own + to : own + shares + (first_falling - to), numbers);
      else
        add_lane_by_lane(own + shares, at, numbers);
    }

   private:
    static void add_to(T* to, const Batch& numbers) { simd::store(to, simd::load<Batch>(to) + numbers); }
    [[gnu::noinline]] void add_lane_by_lane(T* to, index_t at, const Batch& numbers) const {
      T each[std::size_t(lanes)];
      simd::store(each, numbers);
      for (index_t l = 0; l < lanes; ++l)
        if (bucket[at + l] != unseen) to[last_bucket - bucket[at + l]] += each[l];
    }
  };
  of_row operator()(const query_row& row) {
    const index_t shares = shares_ * lanes;
    return {bucket_.data(),
            batch_.data(),
            sums_.data() + (row.text * heads_ + row.head) * tiles_ * width_,
            largest_ - row.position,
            std::max<index_t>(-row.first_key, 0),
            buckets_ - 1,
            width_,
            shares};
  }

  index_t heads() const { return heads_; }

  // The sum of a bucket over some heads.
  double total(interval heads, index_t bucket) const {
    double sum = 0;
    const index_t share = shared_[std::size_t(bucket)];
    for (std::size_t first = 0; first < sums_.size(); first += std::size_t(width_)) {
      if (!heads.contains(index_t(first) / (tiles_ * width_) % heads_)) continue;
      const T* const own = sums_.data() + first;
      sum += double(own[shares_ * lanes + buckets_ - 1 - bucket]);
      if (share != none)
        for (index_t l = 0; l < lanes; ++l) sum += double(own[share * lanes + l]);
    }
    return sum;
  }

 private:
  static constexpr std::int32_t unseen = -1, by_lane = -1, first_falling = -2;
  static constexpr index_t none = -1;

  // Where a batch that begins at a place of bucket_ is added: to a batch of sums; or, counted down from first_falling, to the sums of the
  // buckets; or lane by lane.
  std::int32_t batch_at(std::size_t at) {
    const std::int32_t* const each = bucket_.data() + at;
    bool same = true, falling = true;
    for (index_t l = 0; l < lanes; ++l) {
      same = same && each[l] == each[0];
      falling = falling && each[l] == each[0] - std::int32_t(l);
    }
    if (each[0] == unseen || each[lanes - 1] == unseen || !(same || falling)) return by_lane;
    if (falling) return first_falling - std::int32_t(buckets_ - 1 - each[0]);
    index_t& share = shared_[std::size_t(each[0])];
    if (share == none) share = shares_++;
    return std::int32_t(share * lanes);
  }

  index_t largest_, buckets_, heads_, tiles_, width_ = 0, shares_ = 0;
  buffer<std::int32_t> bucket_;  // of every distance, the largest first
  buffer<std::int32_t> batch_;
  buffer<index_t> shared_;  // of every bucket, the batch of sums that lanes add to, if any
  buffer<T> sums_;          // of each text, head and tile: batches of sums, then those of the buckets, the last first
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
