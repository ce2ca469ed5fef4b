#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <longspan/core/index.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/shape.hpp>
#include <longspan/transform/reach.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Gradients of logits, summed by the bucket of their distance while a backward pass runs. One thread takes the rows of a head past a tile
// of keys, so each text, head and tile has sums of its own, and add_up adds them up: the same bits for any device. A batch of keys whose
// distances share a bucket is added to a batch of sums of that bucket, one for each lane; any other to sums of its distances, which stand
// in falling order as the distances of a batch do.
template <class T>
class bucket_sums {
  using Batch = batch<T>;
  static constexpr index_t lanes = simd::lanes<Batch>, tile_keys = tile_shape<T>::backward_key_rows;

 public:
  // bucket_of(t) is asked for the distances that some row sees, of calls of at most so many keys.
  template <class BucketOf>
  bucket_sums(const reach& distances, index_t keys, index_t buckets, BucketOf bucket_of)
      : largest_(distances.touched.last - 1),
        heads_(distances.heads),
        tiles_(std::max<index_t>((keys + tile_keys - 1) / tile_keys, 1)),
        bucket_(std::size_t(distances.touched.size() + lanes), unseen),
        place_(bucket_.size(), unseen),
        shared_(std::size_t(buckets), unseen) {
    for (index_t t = distances.seen.first; t < distances.seen.last; ++t)
      bucket_[std::size_t(largest_ - t)] = std::int32_t(bucket_of(t));
    for (index_t at = 0; at + lanes <= index_t(bucket_.size()); ++at) find_place(at);
    sums_.assign(std::size_t(distances.texts * heads_ * tiles_ * width_), T(0));
  }

  // Those of one query row.
  struct of_row {
    const std::int32_t* place;
    T* sums;
    index_t origin, first_key, width;

    // Adds a number for each of the keys from place `first` on. Lanes of hidden keys hold 0.
    void add(index_t first, const Batch& numbers) const {
      T* const to = sums + index_t(std::size_t(first - first_key) / std::size_t(tile_keys)) * width + place[origin + first];
      simd::store(to, simd::load<Batch>(to) + numbers);
    }
  };
  of_row operator()(const query_row& row) {
    return {place_.data(), sums_.data() + (row.text * heads_ + row.head) * tiles_ * width_, largest_ - row.position,
            std::max<index_t>(-row.first_key, 0), width_};
  }

  index_t heads() const { return heads_; }

  // Adds the sums of head h to total(h, bucket), a double&.
  template <class Total>
  void add_up(Total total) const {
    for (index_t first = 0; first < index_t(sums_.size()); first += width_) {
      const index_t h = first / (tiles_ * width_) % heads_;
      const T* const own = sums_.data() + first;
      for (std::size_t b = 0; b < shared_.size(); ++b)
        for (index_t l = 0; shared_[b] != unseen && l < lanes; ++l) total(h, index_t(b)) += double(own[shared_[b] + l]);
      for (std::size_t n = 0; n < distance_.size(); ++n)
        if (const std::int32_t b = bucket_[std::size_t(distance_[n].at)]; b != unseen)
          total(h, b) += double(own[distance_[n].sum]);
    }
  }

 private:
  static constexpr std::int32_t unseen = -1;

  // The sum of one distance: where it stands in bucket_ and among the sums.
  struct sum_of_distance {
    index_t at, sum;
  };

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

  index_t largest_, heads_, tiles_, width_ = 0;  // width_: of the sums of a tile
  buffer<std::int32_t> bucket_;                  // of every distance, the largest first
  buffer<std::int32_t> place_;                   // of the batch that begins there, among the sums of a tile
  buffer<std::int32_t> shared_;                  // of each bucket, the place of its batch of sums, if any
  buffer<sum_of_distance> distance_;
  buffer<T> sums_;  // of each text, head and tile
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
