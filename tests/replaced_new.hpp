#pragma once

#include <cstddef>
#include <new>

// The program's operator new and delete, over two functions that the one file which includes this defines. All forms
// but the aligned ones, as a sanitizer that keeps one of its own sees memory come from one kind and go by another.

namespace plex::test {

/// Null where there is no memory.
void* allocate(std::size_t size) noexcept;
/// Of null too.
void release(void* memory) noexcept;

} // namespace plex::test

// NOLINTBEGIN(misc-definitions-in-headers): one file of a program includes it
void* operator new(std::size_t size, std::nothrow_t const&) noexcept
{
    return plex::test::allocate(size);
}
void* operator new(std::size_t size)
{
    if (void* const memory = plex::test::allocate(size))
        return memory;
    throw std::bad_alloc();
}
void* operator new[](std::size_t size)
{
    return operator new(size);
}
void* operator new[](std::size_t size, std::nothrow_t const&) noexcept
{
    return plex::test::allocate(size);
}
void operator delete(void* memory) noexcept
{
    plex::test::release(memory);
}
void operator delete(void* memory, std::size_t) noexcept
{
    plex::test::release(memory);
}
void operator delete(void* memory, std::nothrow_t const&) noexcept
{
    plex::test::release(memory);
}
void operator delete[](void* memory) noexcept
{
    plex::test::release(memory);
}
void operator delete[](void* memory, std::size_t) noexcept
{
    plex::test::release(memory);
}
void operator delete[](void* memory, std::nothrow_t const&) noexcept
{
    plex::test::release(memory);
}
// NOLINTEND(misc-definitions-in-headers)
