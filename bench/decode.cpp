// The decoder alone, over messages in memory.
#include "measure.hpp"
#include "messages.hpp"

#include "protocol/decoder.hpp"

#include <algorithm>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

namespace {

constexpr std::size_t slack = 16; // what a decoder may read beyond a message

std::string with_slack(std::string const& message)
{
    return message + std::string(slack, '\0');
}

} // namespace

int main(int argc, char** argv)
{
    using namespace plex::bench;
    using plex::protocol::decoded;

    std::uint64_t const wanted = number(argc, argv, 1, "COUNT");
    scan scanned(with_slack);
    std::vector<char> const pristine(scanned.bytes().begin(), scanned.bytes().end());
    // A decoder may change what it reads, so that each pass needs those anew which it has changed: perhaps none.
    std::vector<std::size_t> changed;
    auto const as_it_was = [&](std::span<char> message) {
        return pristine.begin() + (message.data() - scanned.bytes().data());
    };
    plex::protocol::decoder decoder;
    reading spent;
    std::uint64_t counted = 0;
    std::size_t understood = 0;
    for (bool warm = false; counted < wanted; warm = true) {
        for (std::size_t const i : changed) {
            std::span<char> const message = scanned.framed(i);
            std::copy_n(as_it_was(message), message.size(), message.begin());
        }
        std::size_t const part = warm ? std::min<std::uint64_t>(wanted - counted, scanned.size()) : scanned.size();
        reading const begin = reading::now();
        for (std::size_t i = 0; i != part; ++i) {
            std::span<char> const framed = scanned.framed(i);
            if (decoder.notification(framed.first(framed.size() - slack)) == decoded::activities)
                understood += decoder.updates().size();
        }
        if (!warm) {
            understood = 0;
            for (std::size_t i = 0; i != scanned.size(); ++i) {
                std::span<char> const message = scanned.framed(i);
                if (!std::equal(message.begin(), message.end(), as_it_was(message)))
                    changed.push_back(i);
            }
            continue;
        }
        spent += reading::now() - begin;
        counted += part;
    }
    if (understood != wanted) {
        std::fprintf(stderr, "bench_decode: understood %zu of %llu messages\n", understood,
                     static_cast<unsigned long long>(wanted));
        return 1;
    }
    print("decode", wanted, spent);
}
