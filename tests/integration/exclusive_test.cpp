#include "feed_fixture.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <thread>

using namespace plex;
using namespace plex::test;

// A thread that is inside a feed while another one enters: in a process of its own, which the assertion ends.
TEST_CASE("a debug build ends a program whose second thread uses a feed at the same time, and says why")
{
#ifdef NDEBUG
    WARN("not a debug build: the check is not there");
#else
    int output[2];
    REQUIRE(pipe(output) == 0);
    pid_t const child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        dup2(output[1], STDERR_FILENO);
        std::signal(SIGABRT, SIG_DFL); // not the test framework's report
        alarm(20);
        served s;
        client c(s.io.get_executor(), s.settings);
        feed f;
        subscription inside =
            c.subscribe(filter(), [&](activity_event const&) { std::thread([&] { (void)f.try_next(); }).join(); });
        auto body = [&]() -> asio::awaitable<void> {
            f = c.subscribe();
            co_await c.ready(10s);
            s.server.start_activity(activity_named("scan"));
            co_await f.wait();
        };
        s.run(c, body());
        _exit(0);
    }
    close(output[1]);
    std::string said;
    char buffer[256];
    for (ssize_t n; (n = read(output[0], buffer, sizeof buffer)) > 0;)
        said.append(buffer, static_cast<std::size_t>(n));
    close(output[0]);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGABRT);
    CHECK(said.find("belong on the client's executor") != std::string::npos);
#endif
}
