"""Of the tree that it lies in: conan create packaging/conan"""

import pathlib
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rmdir


class PlexActivities(ConanFile):
    name = "plex-activities"
    description = "C++20 coroutine client for the Activities API of Plex Media Server"
    license = "MIT"
    topics = ("plex", "asio", "coroutines")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "fPIC": [True, False], "tools": [True, False]}
    default_options = {"shared": False, "fPIC": True, "tools": False}
    implements = ["auto_shared_fpic"]

    def set_version(self):
        header = load(self, pathlib.Path(self.recipe_folder) / "../../include/plex/version.hpp")
        self.version = ".".join(re.findall(r"#define PLEX_VERSION_\w+ (\d+)", header))

    def export_sources(self):
        tree = pathlib.Path(self.recipe_folder, "../..").resolve()
        for pattern in ("CMakeLists.txt", "LICENSE", "CHANGELOG.md", "cmake/*", "include/*", "src/*", "tools/*"):
            copy(self, pattern, tree, self.export_sources_folder)

    def requirements(self):
        # Its awaitable and any_io_executor are handed over: a package is for one Boost alone.
        self.requires("boost/[>=1.81 <2]", transitive_headers=True, transitive_libs=True, package_id_mode="full_mode")
        self.requires("openssl/[>=3 <4]")
        if self.options.tools:
            self.requires("cli11/[>=2 <3]", visible=False)

    def validate(self):
        check_min_cppstd(self, 20)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        for part in ("TESTS", "EXAMPLES", "BENCH"):
            toolchain.cache_variables[f"PLEX_BUILD_{part}"] = False
        toolchain.cache_variables["PLEX_BUILD_TOOLS"] = bool(self.options.tools)
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", self.source_folder, pathlib.Path(self.package_folder, "licenses"))
        # Conan makes its own for its consumers.
        rmdir(self, pathlib.Path(self.package_folder, "lib", "cmake"))
        rmdir(self, pathlib.Path(self.package_folder, "lib", "pkgconfig"))

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "plex_activities")
        for name in ("activities", "testing"):
            part = self.cpp_info.components[name]
            part.set_property("cmake_target_name", f"plex::{name}")
            part.set_property("pkg_config_name", f"plex_{name}")
            part.libs = [f"plex_{name}"]
            part.requires = ["boost::headers", "boost::json", "boost::url", "openssl::openssl"]
            part.system_libs = ["pthread"]
