#pragma once

#include "catch.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace plex::test {

/// A service manager's end of NOTIFY_SOCKET, which the environment names while this lives.
struct manager_socket {
    /// @param path of a new file; one that begins with @ is in no folder
    explicit manager_socket(std::string const& path)
    {
        REQUIRE(socket >= 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        REQUIRE(path.size() < sizeof address.sun_path);
        std::copy(path.begin(), path.end(), address.sun_path);
        if (path.front() == '@')
            address.sun_path[0] = '\0';
        auto const size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
        REQUIRE(bind(socket, reinterpret_cast<sockaddr const*>(&address), size) == 0);
        setenv("NOTIFY_SOCKET", path.c_str(), 1);
    }
    ~manager_socket()
    {
        unsetenv("NOTIFY_SOCKET");
        close(socket);
    }
    manager_socket(manager_socket const&) = delete;
    manager_socket& operator=(manager_socket const&) = delete;

    /// What has been told and not been taken; nothing where that is all.
    std::optional<std::string> take() const
    {
        std::array<char, 4096> text{};
        ssize_t const size = recv(socket, text.data(), text.size(), MSG_DONTWAIT);
        if (size < 0)
            return std::nullopt;
        return std::string(text.data(), static_cast<std::size_t>(size));
    }

    int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

} // namespace plex::test
