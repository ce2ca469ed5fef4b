#pragma once

#include <cstdio>
#include <exception>
#include <filesystem>

#include <CLI/CLI.hpp>

// What the programs share that measure a claim of the papers'.

// The option that says where a program's tables go; run.sh says it in the environment.
inline CLI::Option* add_results(CLI::App& app, std::filesystem::path& results,
                                const std::string& what = "where the table is written") {
  return app.add_option("--results", results, what)->envname("LONGSPAN_RESULTS")->capture_default_str();
}

// Runs a program in a folder of results that is there. What it throws is told, and the program then ends with 1.
int reporting(const char* program, const std::filesystem::path& results, const auto& run) {
  try {
    std::filesystem::create_directories(results);
    return run();
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "\n%s: %s\n", program, error.what()), 1;
  }
}
