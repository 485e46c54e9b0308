#include "client.hpp"

#include "measure.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <string>

namespace plex::bench {

namespace asio = boost::asio;

config settings(std::uint64_t port, std::string_view scene)
{
    config result;
    result.url = "http://127.0.0.1:" + std::to_string(port) + std::string(scene);
    result.token = "token-of-the-bench-x";
    result.identity.client_identifier = "bench";
    return result;
}

config tls_settings(std::uint64_t port, std::string_view scene)
{
    config result = settings(port, scene);
    result.url.insert(4, "s");
    result.tls.insecure = true;
    return result;
}

void run(config const& settings, std::function<asio::awaitable<void>(client&)> const& measure)
{
    asio::io_context context(1);
    client measured(context.get_executor(), settings);
    asio::co_spawn(measured.get_executor(), measure(measured), [&](std::exception_ptr failure) {
        if (failure)
            std::rethrow_exception(failure);
        expect(measured.counters().reconnects == 0, "the connection was lost meanwhile");
        measured.stop();
    });
    context.run();
}

} // namespace plex::bench
