#pragma once

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "text.hpp"

namespace pretrained {

// Keys and values as they came, and of every piece of the text that is read the queries of its last tokens.
class sampled_rows : public rows {
 public:
  struct sample {
    index_t length;  // of the text, when they were read
    Matrix query;
  };
  sampled_rows(const config& of, index_t room, index_t some) : rows(of, room), some_(some) {}

  const std::vector<sample>& samples() const { return samples_; }

  friend void attend(const team& threads, const sentence& by, const view<const float>& q, sampled_rows& past,
                     const view<float>& output) {
    const index_t count = std::min(past.some_, q.extent[2]), first = q.extent[2] - count;
    Matrix kept(count, q.extent[1] * q.extent[3]);
    for (index_t t = 0; t < count; ++t)
      for (index_t h = 0; h < q.extent[1]; ++h)
        std::copy_n(q.data + h * q.stride[1] + (first + t) * q.stride[2], q.extent[3], &kept(t, h * q.extent[3]));
    past.samples_.push_back({past.length(), std::move(kept)});
    attend(threads, by, q, static_cast<rows&>(past), output);
  }

 private:
  index_t some_;
  std::vector<sample> samples_;
};

struct fitting {
  std::string mechanism = "dynamic_ntk";
  double times = 2, apart = 0.5;   // of the trained length: how far, and from one length to the next
  index_t block = 512, rows = 16;  // tokens that are read at a time, and how many of them are sampled, the last
};

// The temperature of every head of a layer, fitted to what a text has left in it: the last 4 blocks before each length count.
longspan::calibrated_temperature fitted(const config& model, const layer_kind& kind, const mechanism& way, sampled_rows& past,
                                        const std::vector<index_t>& lengths, const fitting& how);

// Reads a text, and writes what `calibrated` then stands for.
inline void calibrate(const studied_model& of, const team& threads, std::span<const index_t> tokens, const fitting& how,
                      const std::filesystem::path& file) {
  const config& model = of.config();
  const mechanism way(how.mechanism);
  if (way.temperature != "none" || way.sight != "all" || model.softcap > 0)
    throw std::invalid_argument("calibrate: mechanisms without a temperature that see all, of models without a softcap");
  if (how.rows > how.block) throw std::invalid_argument("calibrate: more rows of a block than it has");
  std::vector<index_t> lengths;
  for (double times = 1; times <= how.times; times += how.apart) lengths.push_back(index_t(times * double(model.trained)));
  const index_t longest = lengths.back();
  if (lengths.size() < 2) throw std::invalid_argument("calibrate: no length beyond the trained one");
  if (index_t(tokens.size()) < longest)
    throw std::runtime_error("the text has " + std::to_string(tokens.size()) + " tokens, too few for " + std::to_string(longest));
  text read(of, threads, longest, std::vector(model.kinds.size(), sampled_rows(model, longest, how.rows)));
  for (index_t first = 0; first < longest; first = read.length()) {
    const index_t count = std::min(how.block, longest - first);
    read.read(way, tokens.subspan(std::size_t(first), std::size_t(count)), longest);
    std::fprintf(stderr, "\rRead: %6td of %td tokens ", read.length(), longest);
  }
  json made = {{"mechanism", way.name}, {"lengths", lengths}, {"factors", json::array()}};
  std::vector<json> layers(model.kinds.size());
  threads.share(index_t(layers.size()), [&](index_t layer) {
    const auto at = std::size_t(layer);
    layers[at] = fitted(model, model.kinds[at], way, read.past()[at], lengths, how).factors();
    std::fprintf(stderr, "\rFitted: layer %2td           ", layer);
  });
  made["factors"] = layers;
  std::ofstream written(file);
  if (!(written << made.dump() << '\n').flush()) throw std::runtime_error("cannot write " + file.string());
  for (std::size_t l = 0; l < lengths.size(); ++l) {
    std::vector<double> factors;
    for (const json& layer : layers)
      for (const json& head : layer) factors.push_back(head[l]);
    std::ranges::sort(factors);
    const auto share = [&](double of_them) { return factors[std::size_t(of_them * double(factors.size() - 1))]; };
    std::printf("%6td tokens: the temperature of a head is %.3f to %.3f, of half of them %.3f to %.3f, %.3f in the middle\n",
                lengths[l], factors.front(), factors.back(), share(0.25), share(0.75), share(0.5));
  }
}

// Of every layer; none where the file is not there.
inline std::vector<longspan::calibrated_temperature> calibrated(const std::filesystem::path& file) {
  std::vector<longspan::calibrated_temperature> made;
  if (!std::filesystem::exists(file)) return made;
  const json said = read_json(file);
  for (const json& layer : said.at("factors"))
    made.emplace_back(said.at("lengths").get<std::vector<index_t>>(), layer.get<std::vector<std::vector<double>>>());
  return made;
}

}  // namespace pretrained
