// Input: a message of the feed, or a list.

#include "fuzz.hpp"

#include "unit/decoder_comparison.hpp"

#include "protocol/utf8.hpp"

namespace plex::fuzz {
namespace {

using namespace plex::testing;

void check_object(std::string_view json)
{
    boost::json::error_code ec;
    auto const value = reference::parse(json, ec);
    promise(value && value->is_object(), "what an update calls an object is one");
}

void check(protocol::activity_update const& u)
{
    promise(!u.uuid.empty() && u.uuid.size() <= 256 && u.type.size() <= 256, "names are bounded");
    for (auto const& text : {u.title, u.subtitle})
        promise(text.value_or("").size() <= 4096, "titles are bounded");
    std::size_t kept = u.extra.size();
    for (auto const& json : {u.context, u.response}) {
        kept += json.value_or("").size();
        if (json)
            check_object(*json);
    }
    if (!u.extra.empty())
        check_object(u.extra);
    promise(kept <= 64u << 10, "what is kept of an activity is bounded");
    promise(!(u.context && u.context_left_out) && !(u.response && u.response_left_out), "left out is not given");
    for (auto const text : {u.uuid, u.type, u.title.value_or(""), u.subtitle.value_or(""), u.context.value_or(""),
                            u.response.value_or(""), u.extra})
        promise(protocol::valid_utf8(text), "what is handed out is valid UTF-8");
}

} // namespace

void run(std::string_view input)
{
    static protocol::decoder warm; // what it was given before makes no difference
    for (bool const as_list : {false, true}) {
        comparison const made = compare(warm, input, as_list, input.size() % 2 == 0 ? '"' : '}');
        if (!made.same)
            promise(false, made.text());
        promise((made.ours.result == decoded::malformed) == !warm.problem().empty(), "what is malformed has a reason");
        if (made.ours.result == decoded::malformed)
            promise(warm.updates().empty(), "what is malformed says nothing");
        // `compare` has let its bytes go.
        protocol::decoder cold;
        std::string bytes = std::string(input) + std::string(16, '\0');
        std::span<char> const message(bytes.data(), input.size());
        decoded const again = as_list ? cold.list(message) : cold.notification(message);
        promise(verdict_of(cold, again) == made.ours, "a decoder says the same of the same message");
        for (auto const& u : cold.updates())
            check(u);
        if (as_list) {
            protocol::decoder owner;
            auto body = std::make_unique<char[]>(input.size() + 16);
            std::copy(input.begin(), input.end(), body.get());
            std::span<char> const text(body.get(), input.size());
            decoded const taken = owner.take_list(std::move(body), text);
            promise(verdict_of(owner, taken) == made.ours, "a list that is taken says what one that is lent says");
        }
    }
}

} // namespace plex::fuzz
