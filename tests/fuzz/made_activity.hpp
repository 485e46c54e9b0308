#pragma once

#include "fuzz.hpp"

#include "activity_record.hpp"
#include "protocol/utf8.hpp"

#include <boost/json/parse.hpp>

namespace plex::fuzz {

// An activity as the decoder may give it, of texts and numbers of the input.
inline activity_event made_event(choices& from)
{
    auto const valid = [&] {
        std::string text;
        protocol::repair_utf8(from.text(), text);
        return text;
    };
    auto const object = [&] {
        std::string text = valid();
        boost::system::error_code ec;
        return boost::json::parse(text, ec).is_object() ? text : std::string();
    };
    std::size_t const numbers = from.number();
    std::string const uuid = valid(), type = valid(), title = valid(), subtitle = valid(), context = object(),
                      response = object();
    detail::activity_fields f;
    f.uuid = uuid;
    f.type = type;
    f.title = title;
    f.subtitle = subtitle;
    f.context = context;
    f.response = response;
    if ((numbers & 1) != 0)
        f.progress = static_cast<int>(from.number()) * ((numbers & 8) != 0 ? -0x007fffff : 1);
    if ((numbers & 2) != 0)
        f.user_id = static_cast<std::int64_t>(from.number()) - 7;
    f.cancellable = (numbers & 4) != 0;
    activity_event e;
    e.kind = static_cast<event_kind>(numbers / 16 % 3);
    e.inferred = (numbers & 8) != 0;
    e.at = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'700'000'000'000 + from.number()));
    if ((numbers & 128) != 0)
        e.started_at = e.at - std::chrono::seconds(from.number() * 31);
    e.activity = detail::activity_access::make(f);
    return e;
}

} // namespace plex::fuzz
