#include "services/log.hpp"

#include "catch.hpp"

using namespace plex::service;

TEST_CASE("a line of the log begins with its priority, as the journal takes it")
{
    CHECK(log_line(plex::log_level::error, "a", true) == "<3>a\n");
    CHECK(log_line(plex::log_level::warning, "a", true) == "<4>a\n");
    CHECK(log_line(plex::log_level::info, "a", true) == "<6>a\n");
    CHECK(log_line(plex::log_level::debug, "a", true) == "<7>a\n");
    CHECK(log_line(plex::log_level::error, "a", false) == "a\n");
}

TEST_CASE("whatever is logged is one line")
{
    CHECK(log_line(plex::log_level::info, "a\n<0>forged\x1b[2J", true) == "<6>a <0>forged[2J\n");
}
