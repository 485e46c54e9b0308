#pragma once

#include <cstdint>

namespace plex::bench {

/// Has the server write 8 events to each feed of the scene `/stepped`.
class stepper
{
public:
    explicit stepper(std::uint64_t port);
    ~stepper();
    stepper(stepper const&) = delete;
    stepper& operator=(stepper const&) = delete;

    void step();

    static constexpr std::uint64_t events = 8;

private:
    int socket_;
};

} // namespace plex::bench
