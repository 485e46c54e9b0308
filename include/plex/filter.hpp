#pragma once

/// @file
/// Which activities a subscriber or a wait is about.

#include <string>
#include <utility>
#include <vector>

namespace plex {

/// Plain data: an activity matches when it satisfies every part that is given; an empty filter matches all.
///
/// Within types (and within uuids) one match is enough; every `context` pair must match. Whether a Context key matches
/// may not be known yet, as a Context often comes later than the activity (docs/protocol.md 2.14): such an activity is
/// told of from the event on that decides it. It is a plain value, without any lock.
class filter
{
public:
    /// Matches all.
    filter() = default;

    /// A type, like `library.update.section`, or when it ends with a dot a prefix of types.
    /// @param type_or_prefix empty for that of an activity which has none
    filter& type(std::string type_or_prefix) &
    {
        types_.push_back(std::move(type_or_prefix));
        return *this;
    }
    /// The same of a temporary.
    filter&& type(std::string type_or_prefix) && { return std::move(type(std::move(type_or_prefix))); }

    /// A member of the activity's Context, compared as text (`attributes::text`). A Context without that member has not
    /// decided yet, whatever `value` is.
    filter& context(std::string key, std::string value) &
    {
        context_.emplace_back(std::move(key), std::move(value));
        return *this;
    }
    /// The same of a temporary.
    filter&& context(std::string key, std::string value) &&
    {
        return std::move(context(std::move(key), std::move(value)));
    }

    /// One activity, by its uuid.
    filter& uuid(std::string value) &
    {
        uuids_.push_back(std::move(value));
        return *this;
    }
    /// The same of a temporary.
    filter&& uuid(std::string value) && { return std::move(uuid(std::move(value))); }

    /// Types and prefixes, in the order given; one is enough.
    std::vector<std::string> const& types() const noexcept { return types_; }
    /// Members of the Context, in the order given; all have to match.
    std::vector<std::pair<std::string, std::string>> const& contexts() const noexcept { return context_; }
    /// In the order given; one is enough.
    std::vector<std::string> const& uuids() const noexcept { return uuids_; }
    /// Whether it matches all.
    bool empty() const noexcept { return types_.empty() && context_.empty() && uuids_.empty(); }

private:
    std::vector<std::string> types_;
    std::vector<std::pair<std::string, std::string>> context_;
    std::vector<std::string> uuids_;
};

} // namespace plex
