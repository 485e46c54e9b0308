#pragma once

#include <plex/error.hpp>

#include <string>
#include <string_view>

namespace plex::testing {

// What a refused argument is told; empty where it was not refused. That the message does not repeat what was given is
// for the test to look at.
template <class F>
std::string refusal(F call)
{
    try {
        call();
    } catch (error const& e) {
        return e.code() == make_error_code(errc::invalid_argument) ? e.what() : "refused for another reason";
    }
    return {};
}

} // namespace plex::testing
