#pragma once

#include "calls_fixture.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace plex::test {

/// Everything that a client says, as text.
class everything_said
{
public:
    void line(std::string_view text) { lines_.emplace_back(text); }
    void failure(error const& e)
    {
        line(e.what());
        line(e.code().message());
        details(e.diagnostics());
        texts_.emplace_back(e.what());
    }
    void details(diagnostics const& d)
    {
        line(d.message());
        texts_.push_back(d.message());
        line(d.body_excerpt());
        line(d.cause().message());
        for (server_error_entry const& entry : d.server_errors())
            line(entry.message);
    }
    /// What the operation fails with, if it does. Gives whether it
    /// did.
    template <class T>
    asio::awaitable<bool> outcome_of(asio::awaitable<T> operation)
    {
        try {
            error const outcome = co_await failure_of(std::move(operation));
            failure(outcome);
            co_return outcome.code().failed();
        } catch (std::runtime_error const&) { // of the token function, as it was thrown: none of our words
        }
        co_return true;
    }
    void status(connection_status const& s)
    {
        line(to_string(s.state));
        line(s.last_error.message());
        details(s.diagnostics);
    }
    void shown(activity const& a)
    {
        for (std::string_view const part : {a.uuid(), a.type(), a.title(), a.subtitle()})
            line(part);
        for (std::string_view const json : {a.context().json(), a.response().json(), a.extra().json()})
            line(json);
    }

    std::vector<std::string> const& lines() const { return lines_; }
    /// Of errors, what they are called by: `what()` and `message()`, without the server's words that are kept apart.
    std::vector<std::string> const& texts() const { return texts_; }
    bool holds(std::string_view part) const
    {
        return std::any_of(lines_.begin(), lines_.end(), [&](std::string const& l) { return contains(l, part); });
    }

private:
    std::vector<std::string> lines_;
    std::vector<std::string> texts_;
};

} // namespace plex::test
