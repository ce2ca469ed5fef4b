"""longspan for Conan 2. From the source folder: conan create .conan"""

import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeToolchain
from conan.tools.files import copy, load


class Longspan(ConanFile):
    name = "longspan"
    description = "Fused attention on the CPU, composed from small parts"
    license = "MIT"
    topics = ("attention", "transformer", "simd", "eigen", "header-only")
    package_type = "header-library"
    settings = "os", "compiler", "build_type", "arch"
    # With the system's, Eigen and xsimd are those that CMake finds, as Debian's.
    options = {"system_dependencies": [True, False]}
    default_options = {"system_dependencies": False}
    no_copy_source = True

    def _root(self):
        return os.path.join(self.recipe_folder, "..")

    def set_version(self):
        # version.hpp is the only place that says the version.
        text = load(self, os.path.join(self._root(), "include", "longspan", "version.hpp"))
        self.version = ".".join(re.search(rf"LONGSPAN_VERSION_{part} (\d+)", text).group(1) for part in ("MAJOR", "MINOR", "PATCH"))

    def export_sources(self):
        for pattern in ("include/*", ".cmake/*", "CMakeLists.txt", "LICENSE", "README.md"):
            copy(self, pattern, self._root(), self.export_sources_folder)

    def requirements(self):
        if not self.options.system_dependencies:
            self.requires("eigen/[>=3.4 <6]", transitive_headers=True)
            self.requires("xsimd/[>=8.1 <15]", transitive_headers=True)

    def validate(self):
        check_min_cppstd(self, 20)

    def package_id(self):
        self.info.clear()

    def generate(self):
        toolchain = CMakeToolchain(self)
        for part in ("TESTS", "BENCH", "EXAMPLES"):
            toolchain.cache_variables[f"LONGSPAN_BUILD_{part}"] = False
        toolchain.generate()
        if not self.options.system_dependencies:
            from conan.tools.cmake import CMakeDeps

            CMakeDeps(self).generate()

    def build(self):
        CMake(self).configure()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        # The package's own CMake files, whose functions are part of it, are found by find_package.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [os.path.join("share", "cmake", "longspan")]
        self.cpp_info.bindirs = self.cpp_info.libdirs = []
