// expects: temperatures and distance transforms belong before softcap and bias
#include <longspan/mask/causal.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/score/dot_product.hpp>
#include <longspan/transform/softcap.hpp>
#include <longspan/transform/temperature.hpp>

const auto fragment = longspan::temperature{2} | longspan::causal{};
const auto refused = longspan::dot_product{} | longspan::softcap{50} | fragment;
