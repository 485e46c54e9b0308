#include "out_of_memory/failing_allocator.hpp"

#include "activity_record.hpp"
#include "failure.hpp"
#include "subscriber.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

// Several readers of one feed, of whom one has no memory for what it is told.

namespace plex::testing {

TEST_CASE("a subscriber whose mailbox alone finds no memory is told what it has, and then that; the others hear all")
{
    detail::out_of_memory(); // made with the client, when there is memory
    auto const told = [](event_kind kind, std::uint64_t life, std::string_view uuid) {
        detail::activity_fields f;
        f.uuid = uuid;
        return sync::mail{{kind, false, {}, std::nullopt, detail::activity_access::make(f)}, life};
    };
    auto const taken = [](detail::subscriber& from) {
        std::size_t count = 0;
        while (from.box.take())
            ++count;
        return count;
    };
    at_every_allocation([&](shortage& s) {
        boost::asio::io_context io;
        auto const source = std::make_shared<detail::subscription_source>();
        source->room = std::make_shared<detail::waiting_room>(io.get_executor());
        std::vector<sync::mail> const first = {told(event_kind::started, 1, "a")};
        std::vector<sync::mail> const second = {told(event_kind::started, 2, "b"), told(event_kind::ended, 1, "a")};
        std::vector<sync::mail> const third = {told(event_kind::ended, 2, "b")};
        auto const subscribe = [&] {
            auto result =
                std::make_shared<detail::subscriber>(source, sync::mailbox(filter()), event_function(), end_function());
            result->receive(first);
            return result;
        };
        auto const poor = subscribe();
        auto const other = subscribe();
        s.survives([&] { poor->receive(second); });
        other->receive(second);
        poor->receive(third);
        other->receive(third);

        must(taken(*other) == 4);
        must(!other->take_failure());
        std::size_t const heard = taken(*poor);
        std::optional<error> const failure = poor->take_failure();
        must(failure ? heard >= 1 && heard < 3 : heard == 4);
        must(!failure || failure->code() == boost::system::errc::not_enough_memory);
    });
}

} // namespace plex::testing
