#pragma once

#include "catch.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/stat.h>

namespace plex::test {

/// A folder that goes with the test.
struct scratch {
    scratch()
    {
        path = (std::filesystem::temp_directory_path() / "plex-services-XXXXXX").string();
        REQUIRE(mkdtemp(path.data()));
    }
    ~scratch() { std::filesystem::remove_all(path); }
    scratch(scratch const&) = delete;
    scratch& operator=(scratch const&) = delete;

    /// Its path.
    std::string file(std::string const& name, std::string const& content, mode_t mode = 0600) const
    {
        std::string const there = path + '/' + name;
        std::filesystem::remove(there);
        std::ofstream out(there, std::ios::binary);
        out << content;
        out.close();
        REQUIRE(out);
        REQUIRE(chmod(there.c_str(), mode) == 0);
        return there;
    }

    std::string path;
};

} // namespace plex::test
