#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

extern char** environ;

namespace plex::test {

/// A folder of its own, gone when the test ends.
class temporary_folder
{
public:
    temporary_folder()
    {
        std::string name = std::filesystem::temp_directory_path() / "plex-activities-test-XXXXXX";
        if (!::mkdtemp(name.data()))
            throw std::system_error(errno, std::generic_category(), "a temporary folder");
        path_ = name;
    }
    ~temporary_folder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    temporary_folder(temporary_folder const&) = delete;
    temporary_folder& operator=(temporary_folder const&) = delete;

    std::filesystem::path operator/(std::string const& name) const { return path_ / name; }
    std::string string() const { return path_; }

private:
    std::filesystem::path path_;
};

/// A port of 127.0.0.1 that the system gives to nobody else while this is held, also between two servers that listen
/// on it: bound, with SO_REUSEADDR, which lets a server bind it too, but not listening.
class reserved_port
{
public:
    reserved_port() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        sockaddr_in address = loopback(0);
        socklen_t size = sizeof address;
        int const yes = 1;
        if (socket_ < 0 || ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
            ::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
            ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
            throw std::system_error(errno, std::generic_category(), "a free port");
        number_ = ntohs(address.sin_port);
    }
    ~reserved_port() { ::close(socket_); }
    reserved_port(reserved_port const&) = delete;
    reserved_port& operator=(reserved_port const&) = delete;

    std::uint16_t number() const noexcept { return number_; }

    bool has_listener() const
    {
        int const probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in const address = loopback(number_);
        bool const connected = ::connect(probe, reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0;
        ::close(probe);
        return connected;
    }

private:
    static sockaddr_in loopback(std::uint16_t port)
    {
        sockaddr_in result{};
        result.sin_family = AF_INET;
        result.sin_port = htons(port);
        result.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return result;
    }

    int socket_;
    std::uint16_t number_ = 0;
};

/// The path of a Unix socket that a program makes.
struct unix_socket_path {
    std::string path;

    bool has_listener() const
    {
        int const probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        bool const connected = ::connect(probe, reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0;
        ::close(probe);
        return connected;
    }
};

/// Where a program is, also when it is meant for administrators. A test whose program is missing fails.
inline std::string find_program(std::string const& name)
{
    char const* const path = std::getenv("PATH");
    std::istringstream folders(std::string(path ? path : "") + ":/usr/sbin:/usr/local/sbin:/sbin");
    for (std::string folder; std::getline(folders, folder, ':');)
        if (std::string const candidate = folder + "/" + name; ::access(candidate.c_str(), X_OK) == 0)
            return candidate;
    throw std::runtime_error(name + " is missing: tests/run.sh installs it");
}

/// What a command of the shell prints.
inline std::vector<std::string> lines_of(std::string const& command)
{
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> const output(::popen(command.c_str(), "r"), &::pclose);
    std::string text;
    char part[4096];
    for (std::size_t size = 0; (size = std::fread(part, 1, sizeof part, output.get())) != 0;)
        text.append(part, size);
    std::istringstream in(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

/// A running program, killed by its id when the test ends, however it ends.
class child_process
{
public:
    /// @param output a file for all that it prints
    child_process(std::vector<std::string> command, std::string output) : output_(std::move(output))
    {
        // The kernel kills it should this process die without coming to its destructors.
        std::vector<std::string> words = {find_program("setpriv"), "--pdeathsig", "KILL", find_program(command[0])};
        words.insert(words.end(), command.begin() + 1, command.end());
        std::vector<char*> arguments;
        for (std::string& word : words)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);

        posix_spawn_file_actions_t files;
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
        ::posix_spawn_file_actions_addopen(&files, 1, output_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::posix_spawn_file_actions_adddup2(&files, 1, 2);
        int const failed = ::posix_spawn(&pid_, arguments[0], &files, nullptr, arguments.data(), environ);
        ::posix_spawn_file_actions_destroy(&files);
        if (failed != 0)
            throw std::system_error(failed, std::generic_category(), words[3]);
    }
    ~child_process() { kill(); }
    child_process(child_process const&) = delete;
    child_process& operator=(child_process const&) = delete;

    void kill() noexcept
    {
        if (pid_ == 0)
            return;
        ::kill(pid_, SIGKILL);
        while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR)
            ;
        pid_ = 0;
    }

    bool running()
    {
        if (pid_ != 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_)
            pid_ = 0;
        return pid_ != 0;
    }

    std::string printed() const
    {
        std::ifstream file(output_);
        return std::string(std::istreambuf_iterator<char>(file), {});
    }

    /// Throws with all that it printed if it ends before it listens.
    template <class Place>
    void wait_for_listener(Place const& port)
    {
        auto const until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (!port.has_listener()) {
            if (!running())
                throw std::runtime_error("the program ended before it listened:\n" + printed());
            if (std::chrono::steady_clock::now() > until)
                throw std::runtime_error("the program does not listen:\n" + printed());
            ::usleep(1000);
        }
    }

private:
    std::string output_;
    pid_t pid_ = 0;
};

} // namespace plex::test
