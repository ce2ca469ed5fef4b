// Calls that are wrong in one drawn thing: refused in words by every door, with nothing written.
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include <longspan/longspan.hpp>

#include "devices.hpp"
#include "drawn_numbers.hpp"
#include "guarded.hpp"
#include "subjects.hpp"

namespace fuzz {
namespace {

using namespace longspan;

class wrong_call {
 public:
  explicit wrong_call(drawn& from) : from_(from), what_(from.between(0, 17)) {
    const index_t off = from.of<index_t>({1, 1, 2, 64}), keys = k_[2], queries = q_[2], batch = q_[0];
    const double no_number = from.of({std::numeric_limits<double>::quiet_NaN(), HUGE_VAL, -HUGE_VAL});
    switch (what_) {
      case 0:
        k_[3] += 2 * off;
        break;
      case 1:
        v_[2] += off;
        break;
      case 2:
        k_[0] += off, v_[0] += off;
        break;
      case 3:
        k_[1] = v_[1] = q_[1] + off;
        break;
      case 4:
        q_[3] += 1, k_[3] += 1;  // rope turns pairs
        break;
      case 5:
        output_[std::size_t(from.between(0, 3))] += off;
        break;
      case 6:
        sums_[std::size_t(from.between(0, 2))] += off;
        break;
      case 7:
        some_.assign(std::size_t(batch), keys);
        some_[std::size_t(from.between(0, batch - 1))] = from.of<index_t>({keys + off, -off});
        where_.key_lengths = some_;
        break;
      case 8:
        some_.assign(std::size_t(batch + off), 0);
        where_.query_lengths = some_;
        break;
      case 9:
        pack({0, queries - 1, queries + off}, {0, 0, keys});
        break;
      case 10:
        pack({0, queries, queries - 1, queries}, {0, 0, 0, keys});
        break;
      case 11:
        pack({0, queries}, {0, 0, keys});
        break;
      case 12:
        pack({0, queries}, {0, keys});
        some_.assign(1, keys), where_.key_lengths = some_;
        break;
      case 13:
        where_.first_key = from.of<index_t>({off, -off}), where_.all_keys = keys;
        break;
      case 14:
        base_ = from.of({0.0, -1.0, no_number});
        break;
      case 15:
        factor_ = no_number;
        break;
      case 16:
        cap_ = from.of({0.0, -3.0, no_number});
        break;
      default:
        from.once_in(2) ? window_ = -off : trained_ = from.of<index_t>({1, 0, -off});
    }
  }

  void hold_all() {
    const auto whole = rope{.base = base_} | dot_product{} | temperature{factor_} | log_n{.trained = trained_} | softcap{cap_} |
                       sliding_window{window_} | sink{0.5};
    drawn_numbers normal(from_, false);
    guarded<float> q(from_, q_), k(from_, k_), v(from_, v_), output(from_, output_), sums(from_, sums_), d_q(from_, q_),
        d_k(from_, k_), d_v(from_, v_);
    for (guarded<float>* each : {&q, &k, &v, &output, &sums, &d_q, &d_k, &d_v}) normal.fill(*each), each->seal();
    const auto expect = [&](const char* door, const auto& call) {
      std::string refused;
      try {
        call();
      } catch (const std::invalid_argument& error) {
        refused = error.what();
      }
      hold(refused.size() > 10, std::string(door) + " takes it, or refuses it without words: '" + refused + "'");
      for (const guarded<float>* each : {&q, &k, &v, &output, &sums, &d_q, &d_k, &d_v})
        hold(each->unchanged(), std::string(door) + " writes before it refuses: " + refused);
      return refused;
    };
    const std::string forward_says = expect("forward_into", [&] {
      forward_into(drawn_device(from_), whole, q.all(), k.all(), v.all(), output.all(), sums.all(), where_);
    });
    expect("backward_into", [&] {
      backward_into(drawn_device(from_), whole, q.all(), k.all(), v.all(), attended{output.all(), sums.all()}, output.all(),
                    d_q.all(), d_k.all(), d_v.all(), where_);
    });
    if (what_ == 5 || what_ == 6) return;  // the definition is given no results
    const std::string defined = expect("the definition", [&] { reference::attention(whole, q.all(), k.all(), v.all(), where_); });
    hold(defined == forward_says, "forward says: " + forward_says + "; the definition: " + defined);
  }

  std::string words() const { return "wrong call " + std::to_string(what_); }

 private:
  void pack(std::vector<index_t> query_starts, std::vector<index_t> key_starts) {
    for (extents* each : {&q_, &k_, &v_, &output_, &sums_}) (*each)[0] = 1;
    query_starts_ = std::move(query_starts), key_starts_ = std::move(key_starts);
    where_.query_starts = query_starts_, where_.key_starts = key_starts_;
  }

  drawn& from_;
  index_t what_, key_heads_ = from_.between(1, 3);
  extents q_{from_.between(1, 3), key_heads_* from_.between(1, 3), from_.between(1, 40), 2 * from_.between(1, 20)};
  extents k_{q_[0], key_heads_, from_.between(1, 90), q_[3]}, v_{q_[0], key_heads_, k_[2], from_.between(1, 40)};
  extents output_{q_[0], q_[1], q_[2], v_[3]}, sums_{q_[0], q_[1], q_[2], 1};
  std::vector<index_t> some_, query_starts_, key_starts_;
  placement where_;
  double base_ = 10000, factor_ = 1.5, cap_ = 3;
  index_t trained_ = 64, window_ = 40;
};

}  // namespace

void hold_refusals(drawn& from) { fuzz::hold_all(wrong_call(from)); }

}  // namespace fuzz
