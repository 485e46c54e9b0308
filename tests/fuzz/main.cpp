#include "fuzz.hpp"

#include <cstddef>
#include <cstdint>

// libFuzzer's way in.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    plex::fuzz::run(std::string_view(reinterpret_cast<char const*>(data), size));
    return 0;
}

#ifndef PLEX_FUZZ

#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

// Without libFuzzer: each file of the folders given, or the files given, as one input.
int main(int argc, char** argv)
try {
    std::size_t played = 0;
    auto const play = [&](std::filesystem::path const& path) {
        std::ifstream in(path, std::ios::binary);
        if (!in)
            throw std::runtime_error("cannot open " + path.string());
        std::vector<char> const bytes{std::istreambuf_iterator<char>(in), {}};
        std::fprintf(stderr, "%s\n", path.string().c_str()); // the last one named is the one that fails
        plex::fuzz::run(std::string_view(bytes.data(), bytes.size()));
        ++played;
    };
    for (int i = 1; i < argc; ++i) {
        if (std::filesystem::is_directory(argv[i]))
            for (auto const& entry : std::filesystem::directory_iterator(argv[i]))
                play(entry.path());
        else
            play(argv[i]);
    }
    plex::fuzz::run({});
    std::printf("%zu inputs\n", played);
    return played == 0 ? 1 : 0;
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}

#endif
