#pragma once

#include <string_view>

namespace plex::detail {

/// Sees what the server tells a live feed, byte for byte and before anything is decoded: also what no decoder of ours
/// knows. It must outlive the feed's connection.
class wire_tap
{
public:
    /// A notification, in the envelope of the transport that is in use.
    virtual void notification(std::string_view text) noexcept = 0;
    /// The body of a `GET /activities` of the feed's own that went well.
    virtual void list(std::string_view body) noexcept = 0;

protected:
    ~wire_tap() = default;
};

} // namespace plex::detail
