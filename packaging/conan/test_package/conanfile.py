"""Builds and runs the user's project of tests/package with the package that was just made."""

import pathlib

from conan import ConanFile
from conan.tools.build import can_run
from conan.tools.cmake import CMake, cmake_layout


class UserOfPlexActivities(ConanFile):
    settings = "os", "arch", "compiler", "build_type"
    generators = "CMakeDeps", "CMakeToolchain"

    def requirements(self):
        self.requires(self.tested_reference_str)

    def layout(self):
        cmake_layout(self)

    def build(self):
        cmake = CMake(self)
        cmake.configure({"WAY": "find_package"}, build_script_folder="../../../tests/package/user")
        cmake.build()

    def test(self):
        if can_run(self):
            self.run(pathlib.Path(self.cpp.build.bindir) / "user", env="conanrun")
