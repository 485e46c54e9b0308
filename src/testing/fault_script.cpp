#include "testing/fault_script.hpp"

#include <algorithm>

namespace plex::testing {

bool matches(std::string_view match, std::string_view method, std::string_view path)
{
    auto const space = match.find(' ');
    if (space != std::string_view::npos) {
        if (match.substr(0, space) != method)
            return false;
        match.remove_prefix(space + 1);
    }
    return path.substr(0, match.size()) == match;
}

void fault_script::add(rule added)
{
    if (added.times != 0)
        rules_.push_back(std::move(added));
}

verdict fault_script::judge(std::string_view method, std::string_view path)
{
    verdict result;
    bool delayed = false;
    for (auto i = rules_.begin(); i != rules_.end();) {
        rule& candidate = *i;
        bool const taken = (candidate.delay && delayed) || (candidate.hold && result.held) ||
                           (candidate.reply && result.reply) || (candidate.cut && result.cut);
        if (taken || !matches(candidate.match, method, path)) {
            ++i;
            continue;
        }
        if (candidate.delay) {
            delayed = true;
            result.delay = *candidate.delay;
        }
        if (candidate.hold) {
            result.held = std::make_shared<held_request>();
            result.held->match = candidate.match;
            std::erase_if(held_, [](auto const& known) { return known.expired(); });
            held_.push_back(result.held);
        }
        if ((candidate.delay || candidate.hold) && candidate.state == as_of::request)
            result.state = as_of::request;
        if (candidate.reply)
            result.reply = candidate.reply;
        if (candidate.cut)
            result.cut = candidate.cut;
        if (candidate.times != fake_server::always)
            --candidate.times;
        i = candidate.times == 0 ? rules_.erase(i) : std::next(i);
    }
    return result;
}

void fault_script::release(std::string_view match)
{
    rules_.remove_if([&](rule const& known) { return known.hold && known.match == match; });
    for (auto const& known : held_)
        if (auto const request = known.lock(); request && request->match == match)
            request->released = true;
}

std::size_t fault_script::held(std::string_view match) const
{
    return static_cast<std::size_t>(std::count_if(held_.begin(), held_.end(), [&](auto const& known) {
        auto const request = known.lock();
        return request && !request->released && request->match == match;
    }));
}

} // namespace plex::testing
