#include "plex/testing/fake_server.hpp"

#include "testing/notification.hpp"

#include <utility>

namespace plex::testing {

fake_activity::fake_activity() : uuid(random_uuid()), type("library.refresh.items"), title("Refreshing") {}

fake_activity::fake_activity(std::string activity_type, std::string activity_title, std::string sub)
    : uuid(random_uuid()), type(std::move(activity_type)), title(std::move(activity_title)), subtitle(std::move(sub))
{
}

} // namespace plex::testing
