#pragma once

#include "activity_record.hpp"

#include <plex/activity.hpp>

#include <string_view>

// Activities as the library hands them out, without a server.
namespace plex::test {

using fields = plex::detail::activity_fields;

inline fields scan_fields()
{
    fields f;
    f.uuid = "7251fc2d";
    f.type = "library.update.section";
    f.title = "Scanning Movies";
    f.subtitle = "The Revenant (2015)";
    f.context = R"({"librarySectionID":"3"})";
    f.progress = 42;
    f.user_id = 1;
    return f;
}

inline activity make(fields const& f)
{
    return plex::detail::activity_access::make(f);
}

inline activity_event event(event_kind kind, fields const& f)
{
    activity_event e;
    e.kind = kind;
    e.activity = make(f);
    return e;
}

} // namespace plex::test
