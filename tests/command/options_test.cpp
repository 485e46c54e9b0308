#include "options.hpp"
#include "session.hpp"

#include "catch.hpp"

#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

using namespace plex::command;

namespace {

struct arguments {
    arguments(std::initializer_list<std::string> given) : texts(given)
    {
        texts.insert(texts.begin(), "plex-activities");
        for (std::string& t : texts)
            pointers.push_back(t.data());
        pointers.push_back(nullptr);
    }

    options parse() { return parse_arguments(static_cast<int>(texts.size()), pointers.data()); }
    bool refused()
    {
        try {
            parse();
        } catch (usage_error const& e) {
            why = e.what();
            return true;
        }
        return false;
    }

    std::vector<std::string> texts;
    std::vector<char*> pointers;
    std::string why;
};

struct environment_of_a_test {
    environment_of_a_test()
    {
        unsetenv("PLEX_URL");
        unsetenv("PLEX_TOKEN");
        unsetenv("PLEX_PROXY");
    }
    ~environment_of_a_test()
    {
        unsetenv("PLEX_URL");
        unsetenv("PLEX_TOKEN");
        unsetenv("PLEX_PROXY");
    }
};

struct file {
    file(std::string const& content, mode_t mode)
    {
        char const* const folder = std::getenv("TMPDIR");
        path = std::string(folder ? folder : "/tmp") + "/plex-token-XXXXXX";
        int const fd = mkstemp(path.data());
        REQUIRE(fd >= 0);
        REQUIRE(write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
        REQUIRE(fchmod(fd, mode) == 0);
        close(fd);
    }
    ~file() { unlink(path.c_str()); }

    std::string path;
};

} // namespace

TEST_CASE("options of all commands stand before or after the command")
{
    environment_of_a_test const clean;
    options const before = arguments({"--json", "--server", "http://a:1", "--token", "t", "list"}).parse();
    options const after = arguments({"list", "--json", "--server", "http://a:1", "--token", "t"}).parse();
    for (options const& o : {before, after}) {
        CHECK(o.what == subcommand::list);
        CHECK(o.json);
        CHECK(o.server == "http://a:1");
        CHECK(o.token == "t");
    }
}

TEST_CASE("the environment fills in what is not given")
{
    environment_of_a_test const clean;
    setenv("PLEX_URL", "http://env:1", 1);
    setenv("PLEX_TOKEN", "env", 1);
    options const all = arguments({"list"}).parse();
    CHECK(all.server == "http://env:1");
    CHECK(all.token == "env");
    options const none = arguments({"list", "--server", "http://a:1", "--token", "t"}).parse();
    CHECK(none.server == "http://a:1");
    CHECK(none.token == "t");
}

TEST_CASE("filters of list and watch are those of the library")
{
    environment_of_a_test const clean;
    arguments a({"watch", "--server", "http://a:1", "--type", "library.", "--type", "butler", "--match",
                 "librarySectionID=3", "--match", "path=a=b", "--for", "1.5", "--count", "7"});
    options const o = a.parse();
    CHECK(o.filter.types() == std::vector<std::string>{"library.", "butler"});
    REQUIRE(o.filter.contexts().size() == 2);
    CHECK(o.filter.contexts()[0] == std::pair<std::string, std::string>("librarySectionID", "3"));
    CHECK(o.filter.contexts()[1] == std::pair<std::string, std::string>("path", "a=b"));
    CHECK(o.limit == std::chrono::milliseconds(1500));
    CHECK(o.count == 7u);
}

TEST_CASE("scan, run and wait take what they need, and a time limit")
{
    environment_of_a_test const clean;
    std::string const at = "--server=http://a:1";
    options const scan = arguments({at, "scan", "3", "--path", "/films/x", "--timeout", "2.5"}).parse();
    CHECK(scan.what == subcommand::scan);
    CHECK(scan.section == 3);
    CHECK(scan.path == "/films/x");
    CHECK(scan.deadline == std::chrono::milliseconds(2500));
    options const run = arguments({at, "run", "PUT", "/x?y=1", "--type", "media.", "--match", "a=b"}).parse();
    CHECK(run.what == subcommand::run);
    CHECK(run.method == "PUT");
    CHECK(run.target == "/x?y=1");
    CHECK(run.filter.types().size() == 1);
    CHECK(run.filter.contexts().size() == 1);
    CHECK_FALSE(run.deadline.has_value());
    options const wait = arguments({at, "wait", "--type", "library.", "--timeout", "60"}).parse();
    CHECK(wait.what == subcommand::wait);
    CHECK(wait.deadline == std::chrono::minutes(1));
    for (auto const& given :
         std::initializer_list<std::initializer_list<std::string>>{{at, "scan"},
                                                                   {at, "scan", "-3"},
                                                                   {at, "scan", "films"},
                                                                   {at, "run", "GET"},
                                                                   {at, "wait", "3"},
                                                                   {at, "wait", "--timeout", "0"},
                                                                   {at, "scan", "3", "--match", "a=b"}})
        CHECK(arguments(given).refused());
}

TEST_CASE("arguments that make no sense are refused")
{
    environment_of_a_test const clean;
    std::string const at = "--server=http://a:1";
    CHECK(arguments({}).refused());
    CHECK(arguments({"list"}).refused()); // no server
    CHECK(arguments({"doctor"}).refused());
    CHECK(arguments({at, "sing"}).refused());
    CHECK(arguments({at, "cancel"}).refused());
    CHECK(arguments({at, "list", "watch"}).refused());
    CHECK(arguments({at, "list", "--count", "1"}).refused());
    CHECK(arguments({at, "watch", "--count", "0"}).refused());
    CHECK(arguments({at, "watch", "--count", "-1"}).refused());
    CHECK(arguments({at, "watch", "--for", "0"}).refused());
    CHECK(arguments({at, "watch", "--for", "soon"}).refused());
    CHECK(arguments({at, "watch", "--for", "nan"}).refused());
    CHECK(arguments({at, "watch", "--for", "inf"}).refused());
    CHECK(arguments({at, "watch", "--for", "1e30"}).refused());
    CHECK(arguments({at, "watch", "--count", "1x"}).refused());
    CHECK(arguments({at, "watch", "--type", ""}).refused());
    CHECK(arguments({at, "watch", "--match", "3"}).refused());
    CHECK(arguments({at, "watch", "--transport", "pigeon"}).refused());
    CHECK(arguments({at, "watch", "--match", "=3"}).refused());
    CHECK(arguments({at, "--token", "a", "--token-file", "b", "list"}).refused());
    CHECK_FALSE(arguments({"demo"}).refused());
    CHECK(arguments({at, "doctor"}).parse().what == subcommand::doctor);
}

TEST_CASE("record listens as watch does, to a file; a replay needs a file and no server")
{
    environment_of_a_test const clean;
    std::string const at = "--server=http://a:1";
    options const all =
        arguments({at, "record", "f", "--for", "2.5", "--count", "7", "--transport", "polling"}).parse();
    CHECK(all.what == subcommand::record);
    CHECK(all.file == "f");
    CHECK(all.limit == std::chrono::milliseconds(2500));
    CHECK(all.count == 7);
    CHECK(all.transport == plex::transport::polling);
    options const plain = arguments({at, "record", "-"}).parse();
    CHECK(plain.file == "-");
    CHECK_FALSE(plain.limit);
    CHECK_FALSE(plain.count);
    CHECK(arguments({at, "record"}).refused());
    CHECK(arguments({"record", "f"}).refused());
    CHECK(arguments({at, "record", "f", "--count", "0"}).refused());
    CHECK(arguments({at, "record", "f", "--match", "a=b"}).refused());
    CHECK(arguments({"demo", "--replay", "f"}).parse().replay == "f");
    CHECK(arguments({"demo", "--replay", "f", "--serve"}).refused());
}

TEST_CASE("how to connect is as the library takes it")
{
    environment_of_a_test const clean;
    std::string const at = "--server=http://a:1";
    options const o = arguments({at, "list", "--ca-file", "ca.pem", "--cert", "me.pem", "--key", "key.pem",
                                 "--insecure", "--connect-to", "[::1]:1"})
                          .parse();
    CHECK(o.tls.ca_file == "ca.pem");
    CHECK(o.tls.certificate_file == "me.pem");
    CHECK(o.tls.key_file == "key.pem");
    CHECK(o.tls.insecure);
    CHECK(o.address == "[::1]:1");
    CHECK_FALSE(arguments({at, "list"}).parse().tls.insecure);
    CHECK(arguments({at, "list", "--unix-socket", "/run/plex"}).parse().unix_socket == "/run/plex");
    CHECK(arguments({at, "list", "--proxy", "http://p:1"}).parse().proxy == "http://p:1");
    CHECK(arguments({at, "list", "--proxy", "http://p:1", "--connect-to", "::1"}).refused());
    CHECK(arguments({at, "list", "--proxy", "http://p:1", "--unix-socket", "s"}).refused());
    CHECK(arguments({at, "list", "--connect-to", "::1", "--unix-socket", "s"}).refused());
}

TEST_CASE("a proxy of the environment gives way to any other way to connect")
{
    environment_of_a_test const clean;
    std::string const at = "--server=http://a:1";
    setenv("PLEX_PROXY", "http://env:1", 1);
    CHECK(arguments({at, "list"}).parse().proxy == "http://env:1");
    CHECK(arguments({at, "list", "--proxy", "http://p:1"}).parse().proxy == "http://p:1");
    CHECK(arguments({at, "list", "--connect-to", "::1"}).parse().proxy == "");
    CHECK(arguments({at, "list", "--unix-socket", "s"}).parse().proxy == "");
}

TEST_CASE("a proxy's password is overwritten where other users could read it")
{
    environment_of_a_test const clean;
    std::string const at = "--server=http://a:1";
    arguments apart({at, "list", "--proxy", "http://me:secret@p:1"});
    CHECK(apart.parse().proxy == "http://me:secret@p:1");
    CHECK(apart.texts.back() == "********************");
    arguments joined({at, "--proxy=http://me:secret@p:1", "list", "--no-such-option"});
    CHECK(joined.refused());
    CHECK(joined.why.find("secret") == std::string::npos);
    for (std::string const& text : joined.texts)
        CHECK(text.find("secret") == std::string::npos);
}

TEST_CASE("the token is overwritten where other users could read it")
{
    environment_of_a_test const clean;
    arguments apart({"list", "--server", "http://a:1", "--token", "secret"});
    CHECK(apart.parse().token == "secret");
    CHECK(apart.texts.back() == "******");
    arguments joined({"--token=secret", "list", "--server", "http://a:1"});
    CHECK(joined.parse().token == "secret");
    CHECK(joined.texts[1] == "--token=******");
    arguments wrong({"--token", "secret", "list", "--no-such-option"});
    CHECK(wrong.refused());
    CHECK(wrong.texts[2] == "******");
}

TEST_CASE("a complaint repeats no value that could be the token")
{
    environment_of_a_test const clean;
    for (auto const& given : std::initializer_list<std::initializer_list<std::string>>{
             {"list", "--tokn", "secret"},
             {"list", "--tokn=secret"},
             {"list", "--tokenfile=secret"},
             {"list", "secret"},
             {"secret"},
             {"--token", "secret", "--token-file", "x", "list"},
             {"--token", "secret", "--token", "secret", "list"},
             {"-tsecret", "list"},
         }) {
        arguments a(given);
        REQUIRE(a.refused());
        CAPTURE(a.why);
        CHECK(a.why.find("secret") == std::string::npos);
        CHECK(a.why.find('\n') == std::string::npos);
    }
}

TEST_CASE("a token file is read without its line break")
{
    file const unix_file("abc\n", 0600);
    file const dos_file("abc\r\n", 0400);
    CHECK(read_token_file(unix_file.path) == "abc");
    CHECK(read_token_file(dos_file.path) == "abc");
}

TEST_CASE("a token file that others may read or write is refused")
{
    for (mode_t const mode : {0640u, 0604u, 0620u, 0602u, 0644u, 0610u}) {
        file const open("abc\n", mode);
        CHECK_THROWS_AS(read_token_file(open.path), usage_error);
    }
}

TEST_CASE("a token file without a token is refused")
{
    file const empty("\n", 0600);
    file const huge(std::string(20'000, 'x'), 0600);
    CHECK_THROWS_AS(read_token_file(empty.path), usage_error);
    CHECK_THROWS_AS(read_token_file(huge.path), usage_error);
    CHECK_THROWS_AS(read_token_file("/no/such/file"), usage_error);
    std::string folder = (std::filesystem::temp_directory_path() / "plex-test-XXXXXX").string();
    REQUIRE(::mkdtemp(folder.data()) != nullptr); // nobody else's, so that it is tried
    CHECK_THROWS_AS(read_token_file(folder), usage_error);
    std::filesystem::remove(folder);
}

TEST_CASE("each kind of failure has its exit status")
{
    using plex::errc;
    using plex::make_error_code;
    CHECK(status_of(make_error_code(errc::unauthorized)) == 3);
    CHECK(status_of(make_error_code(errc::forbidden)) == 3);
    CHECK(status_of(make_error_code(errc::timeout)) == 4);
    CHECK(status_of(make_error_code(errc::invalid_argument)) == 2);
    for (errc const other : {errc::connection_failed, errc::server_error, errc::not_found, errc::activity_not_found,
                             errc::not_cancellable, errc::malformed_reply, errc::redirected, errc::bad_request})
        CHECK(status_of(make_error_code(other)) == 1);
    CHECK(status_of(boost::system::errc::make_error_code(boost::system::errc::broken_pipe)) == 1);
}
