#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <longspan/core/index.hpp>

namespace testing_support {

// The folder that holds the tests and their data.
inline std::filesystem::path test_data() {
#if defined(LONGSPAN_TEST_DATA)
  return LONGSPAN_TEST_DATA;
#else
  return std::filesystem::path(__FILE__).parent_path().parent_path();
#endif
}

// Numbers of a tensor, row-major, as the text has them.
struct onnx_tensor {
  std::string type;
  std::vector<longspan::index_t> extents;
  std::vector<double> numbers;
};

// One case of the Attention operator: attributes, inputs and outputs by their names in the operator.
struct onnx_case {
  std::map<std::string, double> attributes;
  std::map<std::string, onnx_tensor> inputs, outputs;

  double attribute(const std::string& name, double otherwise) const {
    const auto found = attributes.find(name);
    return found == attributes.end() ? otherwise : found->second;
  }
  bool has(const std::string& input) const { return inputs.count(input) > 0; }
};

// The rest of a tensor's first line, and the line of its numbers.
inline onnx_tensor read_onnx_tensor(std::istream& header, std::istream& file) {
  onnx_tensor made;
  header >> made.type;
  longspan::index_t size = 1;
  for (longspan::index_t extent; header >> extent; size *= extent) made.extents.push_back(extent);
  std::string line;
  std::getline(file, line);
  std::istringstream numbers(line);
  for (std::string number; numbers >> number;) made.numbers.push_back(std::stod(number));  // nan and inf too
  if (longspan::index_t(made.numbers.size()) != size) throw std::runtime_error("a tensor has other numbers than its extents say");
  return made;
}

// Throws std::runtime_error where the file is not there or not in the format of papers/onnx/README.md.
inline onnx_case read_onnx_case(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("no such case: " + path.string());
  onnx_case made;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string kind, name;
    words >> kind >> name;
    if (kind == "attribute")
      words >> made.attributes[name];
    else if (kind == "input")
      made.inputs[name] = read_onnx_tensor(words, file);
    else if (kind == "output")
      made.outputs[name] = read_onnx_tensor(words, file);
    else
      throw std::runtime_error("neither attribute, input nor output in " + path.string() + ": " + line);
  }
  return made;
}

}  // namespace testing_support
