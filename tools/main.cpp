#include "commands.hpp"
#include "event_output.hpp"

#include <exception>

namespace {

using namespace plex::command;

status run_command(options const& o)
{
    switch (o.what) {
    case subcommand::list:
        return list(o);
    case subcommand::watch:
        return watch(o);
    case subcommand::cancel:
        return cancel(o);
    case subcommand::scan:
    case subcommand::run:
        return follow(o);
    case subcommand::wait:
        return wait(o);
    case subcommand::doctor:
        return doctor(o);
    case subcommand::record:
        return record(o);
    case subcommand::demo:
        return o.replay.empty() ? demo(o) : replay(o);
    }
    return usage;
}

} // namespace

int main(int argc, char* argv[])
{
    try {
        options const o = parse_arguments(argc, argv);
        if (!o.help.empty()) {
            print(o.help);
            return done;
        }
        return run_command(o);
    } catch (std::exception const& e) {
        return report(e);
    }
}
