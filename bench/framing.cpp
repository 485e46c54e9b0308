#include "framing.hpp"

#include <array>
#include <cstdio>

namespace plex::bench {

std::string frame_header(char opcode, std::size_t size)
{
    std::string header(1, static_cast<char>(0x80 | opcode));
    if (size < 126)
        return header += static_cast<char>(size);
    return header += {126, static_cast<char>(size >> 8), static_cast<char>(size & 255)};
}

std::string as_frame(std::string const& notification)
{
    return frame_header(1, notification.size()) + notification;
}

std::string as_event(std::string const& notification)
{
    // {"NotificationContainer":{"type":"activity","size":1,"ActivityNotification":[{…}]}}
    static constexpr std::string_view key = R"("ActivityNotification":[)";
    std::size_t const object = notification.find(key) + key.size();
    std::string const event = R"(event: activity
data: {"ActivityNotification":)" +
                              notification.substr(object, notification.size() - object - 3) + "}\n\n";
    std::array<char, 16> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", event.size());
    return size.data() + event + "\r\n";
}

} // namespace plex::bench
