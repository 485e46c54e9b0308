#include "services/service_manager.hpp"

#include "services/log.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace plex::service {

namespace {

std::string_view environment(char const* name)
{
    char const* const value = std::getenv(name);
    return value ? value : "";
}

std::optional<std::int64_t> number(std::string_view text)
{
    std::int64_t value = 0;
    auto const [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

bool send_datagram(std::string const& path, std::string_view text)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return errno = ENAMETOOLONG, false;
    std::copy(path.begin(), path.end(), address.sun_path);
    if (path.front() == '@') // a name that is in no folder begins with a zero
        address.sun_path[0] = '\0';
    auto const size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    int const socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0)
        return false;
    ssize_t const sent = sendto(socket, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                                reinterpret_cast<sockaddr const*>(&address), size);
    int const failure = errno;
    close(socket);
    errno = failure;
    return sent >= 0;
}

} // namespace

service_manager service_manager::of_environment()
{
    service_manager manager;
    manager.socket_ = environment("NOTIFY_SOCKET");
    std::optional<std::int64_t> const limit = number(environment("WATCHDOG_USEC"));
    std::string_view const whose = environment("WATCHDOG_PID");
    if (limit && *limit > 1 && (whose.empty() || number(whose) == getpid()))
        manager.alive_every_ = std::chrono::microseconds(*limit / 2);
    return manager;
}

void service_manager::ready(std::string_view status) const noexcept
{
    try {
        tell("READY=1\nSTATUS=" + std::string(status));
    } catch (std::exception const&) {
        tell("READY=1");
    }
}

void service_manager::reloading() const noexcept
{
    // The time lets it tell this from a reload that was before: systemd 253 asks for it.
    auto const now = std::chrono::steady_clock::now().time_since_epoch();
    auto const microseconds = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
    try {
        tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds));
    } catch (std::exception const&) {
        tell("RELOADING=1");
    }
}

void service_manager::stopping() const noexcept
{
    tell("STOPPING=1");
}

void service_manager::alive() const noexcept
{
    tell("WATCHDOG=1");
}

void service_manager::tell(std::string_view state) const noexcept
{
    if (socket_.empty())
        return;
    if (!send_datagram(socket_, state))
        log(plex::log_level::warning, std::string("NOTIFY_SOCKET cannot be told: ") + std::strerror(errno));
}

} // namespace plex::service
