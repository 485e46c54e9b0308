#include "merge.hpp"

#include "activity_record.hpp"

namespace plex::sync {

using detail::activity_access;

activity merge(activity const& known, protocol::activity_update const& news, bool live)
{
    auto const* const record = activity_access::record(known);
    bool changed = record == nullptr;
    detail::activity_fields merged;
    if (record)
        merged = record->fields();
    else
        merged.uuid = news.uuid;

    auto const set = [&changed](auto& field, auto const& value) {
        changed = changed || field != value;
        field = value;
    };
    // What changes most comes first: once something has changed nothing is compared any more.
    if (news.progress)
        set(merged.progress, *news.progress == -1 ? std::optional<int>() : news.progress);
    if (news.subtitle)
        set(merged.subtitle, *news.subtitle);
    if (news.title)
        set(merged.title, *news.title);
    if (!news.type.empty())
        set(merged.type, news.type);
    if (news.cancellable)
        set(merged.cancellable, *news.cancellable);
    if (news.user_id)
        set(merged.user_id, news.user_id);

    if (news.context || news.context_left_out) {
        set(merged.context, news.context.value_or(std::string_view()));
        set(merged.context_left_out, news.context_left_out);
    }
    if (news.response || news.response_left_out) {
        set(merged.response, news.response.value_or(std::string_view()));
        set(merged.response_left_out, news.response_left_out);
    }
    if (live || !news.extra.empty() || news.extra_left_out) {
        set(merged.extra, news.extra);
        set(merged.extra_left_out, news.extra_left_out);
    }
    return changed ? activity_access::make(merged) : known;
}

} // namespace plex::sync
