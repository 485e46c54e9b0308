#include "catch.hpp"

#include "block_recycler.hpp"

#include <cstring>
#include <set>
#include <thread>
#include <vector>

using plex::detail::give_back_block;
using plex::detail::recycles_blocks;
using plex::detail::take_block;

namespace {

void* taken(std::size_t size)
{
    void* const block = take_block(size);
    std::memset(block, 'x', size); // all of it is ours
    return block;
}

} // namespace

TEST_CASE("a block of every size can be written whole, and its memory serves the next of about its size")
{
    for (std::size_t size = 1; size < 3000; size += 7) {
        void* const first = taken(size);
        give_back_block(first, size);
        void* const second = taken(size);
        if (recycles_blocks && size <= 2048)
            CHECK(first == second);
        give_back_block(second, size);
    }
}

TEST_CASE("blocks that are in use at the same time are not the same")
{
    std::set<void*> blocks;
    for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < 200; ++i)
            blocks.insert(taken(500));
        CHECK(blocks.size() == 200);
        for (void* const block : blocks)
            give_back_block(block, 500);
        blocks.clear();
    }
}

TEST_CASE("a thread keeps at most 256 KiB")
{
    if (!recycles_blocks)
        return;
    std::thread([] {
        constexpr std::size_t size = 1024;
        std::vector<void*> blocks;
        for (int i = 0; i < 1000; ++i)
            blocks.push_back(taken(size));
        for (void* const block : blocks)
            give_back_block(block, size);
        // The first 256 that came back were kept, and are given out again, the last of them first.
        for (std::size_t i = 0; i < 256; ++i)
            CHECK(take_block(size) == blocks[255 - i]);
        for (std::size_t i = 0; i < 256; ++i)
            give_back_block(blocks[i], size);
    }).join();
}

TEST_CASE("a block may be given back on another thread, and after that thread's own objects are gone")
{
    void* block = nullptr;
    std::thread([&] { block = taken(300); }).join();
    give_back_block(block, 300);

    struct last_to_go {
        ~last_to_go()
        {
            if (block)
                give_back_block(block, 300);
        }
        void* block = nullptr;
    };
    std::thread([] {
        static thread_local last_to_go held; // older than the list's own, so that it goes after it
        held.block = taken(300);
        give_back_block(taken(300), 300);
    }).join();
}
