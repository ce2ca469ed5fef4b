// expects: temperatures and distance transforms belong before softcap and bias
#include <longspan/mechanism.hpp>
#include <longspan/score/dot_product.hpp>
#include <longspan/transform/log_n.hpp>
#include <longspan/transform/softcap.hpp>

const auto refused = longspan::dot_product{} | longspan::softcap{50} | longspan::log_n{512};
