#pragma once
#include "plex/testing/fake_server.hpp"

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plex::testing {

/// A request kept waiting.
struct held_request {
    std::string match;
    bool released = false;
};

struct scripted_reply {
    unsigned status = 200;
    std::string body;
    std::string content_type;
    std::vector<std::pair<std::string, std::string>> headers;
    /// All of the reply, instead of the above.
    bool raw = false;
    bool keep_open = false;
    /// Or none at all.
    bool none = false;
};

/// What the script says of one request.
struct verdict {
    std::chrono::steady_clock::duration delay{0};
    std::shared_ptr<held_request> held;
    as_of state = as_of::release;
    std::optional<scripted_reply> reply;
    std::optional<std::size_t> cut;
};

/// The faults that are still to come, and which requests they are for.
class fault_script
{
public:
    struct rule {
        std::string match;
        std::size_t times = 1;
        std::optional<std::chrono::steady_clock::duration> delay;
        bool hold = false;
        as_of state = as_of::release;
        std::optional<scripted_reply> reply;
        std::optional<std::size_t> cut;
    };

    void add(rule added);
    verdict judge(std::string_view method, std::string_view path);
    void release(std::string_view match);
    std::size_t held(std::string_view match) const;

private:
    std::list<rule> rules_;
    std::vector<std::weak_ptr<held_request>> held_;
};

/// "/activities" or "GET /activities" against a request.
bool matches(std::string_view match, std::string_view method, std::string_view path);

} // namespace plex::testing
