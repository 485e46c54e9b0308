// The decoder alone, over a list of 1,000 in memory.
#include "measure.hpp"
#include "messages.hpp"

#include "protocol/decoder.hpp"

#include <algorithm>
#include <string>
#include <vector>

int main(int argc, char** argv)
{
    using namespace plex::bench;

    std::uint64_t const lists = number(argc, argv, 1, "COUNT");
    std::string const list = list_of(1000);
    std::vector<char> text(list.size() + 16); // what a decoder may read beyond it
    plex::protocol::decoder decoder;
    reading spent;
    for (std::uint64_t i = 0; i <= lists; ++i) {
        std::copy(list.begin(), list.end(), text.begin()); // a decoder may change what it reads
        reading const begin = reading::now();
        auto const result = decoder.list({text.data(), list.size()});
        if (i != 0) // warm
            spent += reading::now() - begin;
        expect(result == plex::protocol::decoded::activities && decoder.updates().size() == 1000, "not understood");
    }
    print("decode_list", lists, spent);
}
