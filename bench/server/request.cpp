#include "request.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace plex::bench {
namespace {

constexpr std::array<std::string_view, 7> scenes = {"/others", "/updates",  "/paced", "/stepped",
                                                    "/idle",   "/thousand", "/slow"};

/// The value of a header of a request's head; empty where there is none.
std::string_view header(std::string_view head, std::string_view lower_case_name)
{
    while (!head.empty()) {
        std::size_t const end = std::min(head.find("\r\n"), head.size());
        std::string_view const line = head.substr(0, end);
        head.remove_prefix(std::min(end + 2, head.size()));
        std::size_t const colon = line.find(':');
        if (colon != lower_case_name.size() ||
            !std::equal(lower_case_name.begin(), lower_case_name.end(), line.begin(),
                        [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); }))
            continue;
        std::string_view const value = line.substr(colon + 1);
        return value.substr(std::min(value.find_first_not_of(' '), value.size()));
    }
    return {};
}

std::string_view up_to(std::string_view text, char end)
{
    return text.substr(0, text.find(end));
}

} // namespace

request read_request(std::string_view head)
{
    request result;
    result.method = up_to(head, ' ');
    std::string_view const target = head.substr(std::min(result.method.size() + 1, head.size()));
    result.path = up_to(up_to(up_to(target, '\r'), ' '), '?');
    for (std::string_view const scene : scenes)
        if (result.path.starts_with(scene) && result.path.substr(scene.size()).starts_with('/')) {
            result.scene = scene;
            result.path.remove_prefix(scene.size());
        }
    result.websocket_key = header(head, "sec-websocket-key");
    return result;
}

} // namespace plex::bench
