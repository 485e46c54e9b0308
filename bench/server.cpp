// The server that everything is measured against (README.md). A process of its own, on a core of its own, so that it is
// no bottleneck: bench_ceiling says how far it goes.
#include "server/certificate.hpp"
#include "server/front.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <thread>

int main()
{
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max; // a connection each
    setrlimit(RLIMIT_NOFILE, &limit);
    try {
        plex::bench::front front;
        unsigned const port = front.listen(nullptr);
        unsigned const tls_port = front.listen(plex::bench::tls_context());
        std::printf("%u %u\n", port, tls_port);
        std::fflush(stdout);
        std::thread([] {
            while (std::getchar() != EOF) {
            }
            _exit(0);
        }).detach();
        front.run();
    } catch (std::exception const& failure) {
        std::fprintf(stderr, "bench_server: %s\n", failure.what());
        return 1;
    }
}
