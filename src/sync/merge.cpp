#include "merge.hpp"

#include "activity_record.hpp"

namespace plex::sync {

using detail::activity_access;

activity merge(activity const& known, protocol::activity_update const& news, bool live)
{
    auto const* const record = activity_access::record(known);
    detail::activity_fields const& before = detail::fields_of(record);
    detail::activity_fields merged = before;
    bool changed = record == nullptr;
    if (!record)
        merged.uuid = news.uuid;

    // What was is looked up where it was: what has just been copied is not to be read back in other pieces.
    auto const set = [&](auto detail::activity_fields::* field, auto const& value) {
        changed = changed || before.*field != value;
        merged.*field = value;
    };
    using fields = detail::activity_fields;
    // What changes most comes first: once something has changed nothing is compared any more.
    if (news.progress && *news.progress == -1)
        set(&fields::progress, std::nullopt);
    else if (news.progress)
        set(&fields::progress, *news.progress);
    if (news.subtitle)
        set(&fields::subtitle, *news.subtitle);
    if (news.title)
        set(&fields::title, *news.title);
    if (!news.type.empty())
        set(&fields::type, news.type);
    if (news.cancellable)
        set(&fields::cancellable, *news.cancellable);
    if (news.user_id)
        set(&fields::user_id, news.user_id);

    if (news.context || news.context_left_out) {
        set(&fields::context, news.context.value_or(std::string_view()));
        set(&fields::context_left_out, news.context_left_out);
    }
    if (news.response || news.response_left_out) {
        set(&fields::response, news.response.value_or(std::string_view()));
        set(&fields::response_left_out, news.response_left_out);
    }
    if (live || !news.extra.empty() || news.extra_left_out) {
        set(&fields::extra, news.extra);
        set(&fields::extra_left_out, news.extra_left_out);
    }
    return changed ? activity_access::make(merged) : known;
}

} // namespace plex::sync
