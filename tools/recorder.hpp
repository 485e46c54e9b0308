#pragma once

#include "anonymiser.hpp"

#include "wire_tap.hpp"

#include <plex/client.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>

namespace plex::command {

/// Writes what it is told as a recording (docs/recording.md): a line each, at once.
class recorder final : public plex::detail::wire_tap
{
public:
    /// @param file a new one, which nobody else may read; `-` is the standard output
    /// @param secret the token
    /// @param on_failure called once, when it cannot be written
    /// @throws usage_error when there is such a file, or it cannot be made
    recorder(std::string file, std::string secret, std::string_view transport, std::function<void()> on_failure);
    ~recorder();
    recorder(recorder const&) = delete;
    recorder& operator=(recorder const&) = delete;

    void notification(std::string_view text) noexcept override;
    void list(std::string_view body) noexcept override;
    void connection(connection_status const&);

    /// @throws std::runtime_error when it could not be written
    void check() const;
    /// `12 lines to FILE: 1 list, 10 notifications`
    std::string summary() const;
    /// Takes the file away again, unless it has something to say.
    void drop_if_empty() noexcept;

private:
    void message(std::string_view what, std::size_t& count, std::string_view text) noexcept;
    std::string begin_line() const;
    void write(std::string line) noexcept;

    std::string const file_;
    std::function<void()> on_failure_;
    anonymiser anonymise_;
    std::chrono::steady_clock::time_point const began_ = std::chrono::steady_clock::now();
    int descriptor_ = -1;
    std::error_code failure_;
    std::size_t lines_ = 0;
    std::size_t lists_ = 0;
    std::size_t notifications_ = 0;
};

} // namespace plex::command
