#include "recorder.hpp"

#include "json_lines.hpp"
#include "options.hpp"
#include "protocol/json_text.hpp"
#include "protocol/utf8.hpp"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace plex::command {
namespace {

int new_file(std::string const& name)
{
    if (name == "-")
        return STDOUT_FILENO;
    int const made = open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (made < 0 && errno == EEXIST)
        throw usage_error(protocol::terminal_safe(name) + " is there already: give the name of a new file");
    if (made < 0)
        throw usage_error(protocol::terminal_safe(name) + " cannot be made: " + std::strerror(errno));
    return made;
}

std::string counted(std::size_t count, std::string const& what)
{
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

} // namespace

recorder::recorder(std::string file, std::string secret, std::string_view transport, std::function<void()> on_failure)
    : file_(std::move(file)), on_failure_(std::move(on_failure)), anonymise_(std::move(secret)),
      descriptor_(new_file(file_))
{
    std::string const now = utc(std::chrono::system_clock::now());
    write(R"({"recording":"plex-activities","version":1,"date":")" + now.substr(0, now.find('T')) +
          R"(","transport":")" + std::string(transport) + "\"}");
}

recorder::~recorder()
{
    if (descriptor_ != STDOUT_FILENO)
        close(descriptor_);
}

void recorder::notification(std::string_view text) noexcept
{
    message("notification", notifications_, text);
}

void recorder::list(std::string_view body) noexcept
{
    message("list", lists_, body);
}

void recorder::message(std::string_view what, std::size_t& count, std::string_view text) noexcept
{
    ++count;
    anonymised const said = anonymise_(text);
    std::string line = begin_line();
    if (said.problem.empty()) {
        line.append("\"").append(what).append("\":").append(said.json);
    } else {
        line.append(R"("malformed":")").append(what).append(R"(","why":")").append(said.problem).append("\"");
    }
    line.append(R"(,"bytes":)").append(std::to_string(text.size()));
    if (said.repaired != 0)
        line.append(R"(,"repaired":)").append(std::to_string(said.repaired));
    write(line + "}");
}

void recorder::connection(connection_status const& now)
{
    if (now.state == connection_state::connected) {
        write(begin_line() + R"("connection":"connected","transport":")" + std::string(to_string(now.transport)) +
              "\"}");
    } else if (now.state == connection_state::interrupted || now.state == connection_state::ended) {
        // Not in the words of the diagnostics, which name the server.
        std::string line = begin_line() + R"("connection":")" + std::string(to_string(now.state)) + "\"";
        if (now.last_error) {
            bool const ours = now.last_error.category() == error_category();
            line += R"(,"error":)";
            protocol::append_json_string(line, ours ? now.last_error.message() : "network");
        }
        if (int const status = now.diagnostics.http_status(); status != 0)
            line.append(R"(,"status":)").append(std::to_string(status));
        write(line + "}");
    }
}

void recorder::check() const
{
    if (failure_)
        throw std::runtime_error(protocol::terminal_safe(file_) + " cannot be written: " + failure_.message());
}

std::string recorder::summary() const
{
    return counted(lines_, "line") + " to " + (file_ == "-" ? "the standard output" : protocol::terminal_safe(file_)) +
           ": " + counted(lists_, "list") + ", " + counted(notifications_, "notification");
}

void recorder::drop_if_empty() noexcept
{
    if (lists_ == 0 && notifications_ == 0 && descriptor_ != STDOUT_FILENO)
        unlink(file_.c_str());
}

std::string recorder::begin_line() const
{
    auto const since = std::chrono::steady_clock::now() - began_;
    return R"({"ms":)" + std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(since).count()) + ",";
}

void recorder::write(std::string line) noexcept
{
    if (failure_)
        return;
    line += '\n';
    std::string_view rest = line;
    while (!rest.empty()) {
        ssize_t const written = ::write(descriptor_, rest.data(), rest.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            failure_ = std::error_code(errno, std::generic_category());
            on_failure_();
            return;
        }
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    ++lines_;
}

} // namespace plex::command
