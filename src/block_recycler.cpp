#include "block_recycler.hpp"

#include <array>
#include <new>

namespace plex::detail {

namespace {

constexpr std::size_t step = 64; // sizes are rounded up to it
constexpr std::size_t sizes = 32;
constexpr std::size_t kept_bytes = 256u << 10;

struct free_block {
    free_block* next;
};

// Trivially destructible, so that a record which outlives the thread's other objects finds it still.
struct free_list {
    std::array<free_block*, sizes> first;
    std::size_t bytes;
    bool is_emptied_at_exit;
    bool closed;
};
constinit thread_local free_list list{};

// Empties the list when the thread ends.
struct emptier {
    ~emptier()
    {
        list.closed = true;
        for (free_block*& first : list.first) {
            while (first) {
                free_block* const block = first;
                first = block->next;
                ::operator delete(block);
            }
        }
    }
};

void empty_at_exit()
{
    thread_local emptier const at_exit;
    static_cast<void>(at_exit);
    list.is_emptied_at_exit = true;
}

constexpr std::size_t class_of(std::size_t size) noexcept
{
    return (size - 1) / step;
}

} // namespace

void* take_block(std::size_t size)
{
    std::size_t const c = class_of(size);
    if (c >= sizes || !recycles_blocks)
        return ::operator new(size);
    if (free_block* const block = list.first[c]) {
        list.first[c] = block->next;
        list.bytes -= (c + 1) * step;
        return block;
    }
    return ::operator new((c + 1) * step);
}

void give_back_block(void* memory, std::size_t size) noexcept
{
    std::size_t const c = class_of(size);
    std::size_t const bytes = (c + 1) * step;
    if (c >= sizes || !recycles_blocks || list.closed || list.bytes + bytes > kept_bytes) {
        ::operator delete(memory);
        return;
    }
    if (!list.is_emptied_at_exit)
        empty_at_exit();
    list.first[c] = ::new (memory) free_block{list.first[c]};
    list.bytes += bytes;
}

} // namespace plex::detail
