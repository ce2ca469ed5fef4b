#include "benchmarks.hpp"

int main(int count, char** arguments) {
#if defined(LONGSPAN_SCALAR) || defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
  benchmark::AddCustomContext("instruction_set", "scalar");
#else
  benchmark::AddCustomContext("instruction_set", xsimd::default_arch::name());
#endif
#if defined(__clang__)
  benchmark::AddCustomContext("compiler", "clang++ " __clang_version__);
#else
  benchmark::AddCustomContext("compiler", "g++ " __VERSION__);
#endif
  add_benchmarks();
  benchmark::Initialize(&count, arguments);
  if (benchmark::ReportUnrecognizedArguments(count, arguments)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
