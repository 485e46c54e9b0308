#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace plex::service {

/// systemd, or whoever else has started this service and wants to know how it is: sd_notify(3).
class service_manager
{
public:
    /// As the environment has it: `NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`.
    static service_manager of_environment();
    /// None, that is told nothing.
    service_manager() = default;

    void ready(std::string_view status) const noexcept;
    void reloading() const noexcept;
    void stopping() const noexcept;
    void alive() const noexcept;

    /// It wants to hear that we are alive so often; nothing where it does not. Half of the time after which it would
    /// take us for dead.
    std::optional<std::chrono::microseconds> alive_every() const noexcept { return alive_every_; }

private:
    void tell(std::string_view state) const noexcept;

    std::string socket_;
    std::optional<std::chrono::microseconds> alive_every_;
};

} // namespace plex::service
