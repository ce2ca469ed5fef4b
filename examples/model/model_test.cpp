// What a reader of the model relies on: its gradients, that a run resumes as if it had never stopped, and that damage is told.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "study.hpp"
#include "text.hpp"

namespace {

using namespace longspan;
using model::Index;
using model::Vector;
namespace fs = std::filesystem;

const auto mechanism = [](per_head c) { return rms_normalize{} | rope{} | dot_product{} | ss_max{c} | causal{}; };

model::examples some_text(Index contexts, Index length) {
  model::examples given{.length = length};
  std::mt19937 source(1);
  for (Index i = 0; i < contexts * length; ++i) {
    given.bytes.push_back(static_cast<unsigned char>(source() % 256));
    given.targets.push_back(static_cast<unsigned char>(source() % 256));
    given.counts.push_back(float(source() % 3));
  }
  return given;
}

void expect_gradients_fit(model::block kind) {
  const model::language_model m({.kind = kind, .blocks = 2, .width = 32, .heads = 2, .channels = 16});
  const model::learning attention(mechanism);
  const Vector p = m.plan().initial(1);
  const model::examples given = some_text(3, 20);
  Vector gradients = Vector::Zero(p.size());
  m.loss(p, attention, given, &gradients);

  std::mt19937 source(2);
  std::normal_distribution<float> normal;
  const Vector decayed = m.plan().decayed();
  for (int direction = 0; direction < 4; ++direction) {
    Vector along = Vector::NullaryExpr(p.size(), [&] { return normal(source); });
    if (direction == 3) along.array() *= 1 - decayed.array();  // gains and learned numbers alone: few, and lost among the others
    const float step = 1e-3f;
    const double difference =
        (m.loss(p + step * along, attention, given) - m.loss(p - step * along, attention, given)) / (2 * step);
    const double slope = gradients.cast<double>().dot(along.cast<double>());
    EXPECT_NEAR(slope, difference, 2e-3 * std::abs(difference) + 0.05);
  }
}

TEST(model, gradients_fit_differences_of_a_transformer) { expect_gradients_fit(model::block::transformer); }
TEST(model, gradients_fit_differences_of_gated_attention_units) { expect_gradients_fit(model::block::gated_attention_unit); }

// Steps enough for a checkpoint on the way, in a folder of their own; a run that is to be stopped throws at a context.
class runs : public testing::Test {
 protected:
  const fs::path folder =
      fs::temp_directory_path() / (std::string("longspan_") + testing::UnitTest::GetInstance()->current_test_info()->name());
  const model::size size{.blocks = 1, .width = 32, .heads = 2, .channels = 16};
  void SetUp() override { fs::remove_all(folder); }
  void TearDown() override { fs::remove_all(folder); }

  Vector run(const std::string& name, int threads = 1, Index stop_at = -1) const {
    const model::study study({.results = folder, .size = size, .trained = 16, .steps = 120, .threads = threads});
    return study.trained(
        name, model::learning(mechanism), 1,
        [&](auto& source, model::examples& drawn) {
          std::vector<unsigned char> bytes(17);
          for (auto& each : bytes) each = static_cast<unsigned char>(source() % 256);
          drawn.append(bytes);
          if (drawn.bytes.size() == 64 && stop_at-- == 0) throw std::runtime_error("stopped");
        },
        "a test");
  }
  fs::path file_of(const std::string& name) const {
    for (const auto& entry : fs::directory_iterator(folder / "checkpoints"))
      if (entry.path().filename().string().starts_with(name)) return entry.path();
    return {};
  }
  std::string error_of(const std::string& name) const {
    try {
      run(name);
      return "none";
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  }
};

TEST_F(runs, have_the_same_bits_for_any_number_of_threads) { EXPECT_EQ(run("one"), run("three", 3)); }

TEST_F(runs, resume_as_if_they_had_never_stopped) {
  const Vector whole = run("whole");
  EXPECT_THROW(run("stopped", 1, 8 * 110), std::runtime_error);
  EXPECT_TRUE(fs::exists(file_of("stopped")));
  EXPECT_EQ(run("stopped"), whole);
  EXPECT_EQ(run("stopped"), whole);  // one that is done is not trained again
}

TEST_F(runs, tell_of_damage) {
  run("good");
  const fs::path file = file_of("good");
  const std::string bytes = model::bytes_of(file);
  const auto damaged = [&](std::string as) {
    std::ofstream(file, std::ios::binary) << as;
    return error_of("good");
  };
  EXPECT_NE(damaged(bytes.substr(0, bytes.size() / 2)).find("is damaged: it ends too early"), std::string::npos);
  EXPECT_NE(damaged(bytes + "x").find("is damaged"), std::string::npos);
  EXPECT_NE(damaged("").find("is damaged, or was left by a run with other settings"), std::string::npos);
  std::string flipped = bytes;
  flipped[bytes.size() / 2] = static_cast<char>(flipped[bytes.size() / 2] ^ 1);
  EXPECT_NE(damaged(flipped).find("is damaged: its sum does not fit"), std::string::npos);
  EXPECT_EQ(damaged(bytes), "none");
}

TEST_F(runs, tell_of_a_text_that_is_too_short) {
  fs::create_directories(folder);
  std::ofstream(folder / "short.txt") << "short";
  EXPECT_THROW(model::text(folder / "short.txt", 4, 2), std::runtime_error);
  EXPECT_THROW(model::text(folder / "none.txt", 4, 2), std::runtime_error);
  const model::text whole(folder, 3, 2);
  EXPECT_EQ(std::string(whole.validation().begin(), whole.validation().end()), "rt");
}

}  // namespace
