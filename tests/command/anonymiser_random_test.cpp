#include "anonymiser.hpp"

#include "catch.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <cstdlib>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace json = boost::json;

namespace {

/// Values as no server would send them and every server could. Their characters are none that pseudonyms begin with, so
/// that what is found of them in the output can only have come through.
class source
{
public:
    explicit source(std::uint32_t seed) : random_(seed) {}

    std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }

    std::string text()
    {
        static std::vector<std::string> const parts = {"The",
                                                       "Sopranos",
                                                       "heat.mkv",
                                                       "b",
                                                       "QRS",
                                                       "9",
                                                       "2345",
                                                       "/",
                                                       "//",
                                                       " ",
                                                       "-",
                                                       ":",
                                                       ".",
                                                       "\xc3\xbf",
                                                       "\xe2\x80\xae",
                                                       "\xe3\x83\x86",
                                                       "\xf0\x9f\x8e\xac",
                                                       "\"",
                                                       "\\",
                                                       "{",
                                                       "}\"",
                                                       "\x1b[",
                                                       "\n",
                                                       "\x7f",
                                                       "10.2.3.4",
                                                       "plex.direct",
                                                       "library.update.section",
                                                       R"("librarySectionID":"3")",
                                                       "https://"};
        std::string made;
        for (std::size_t n = below(9); n != 0; --n)
            made += parts[below(parts.size())];
        return made;
    }

    std::string name()
    {
        static std::vector<std::string> const known = {"type",  "event", "Activity", "Context", "Response", "progress",
                                                       "title", "uuid",  "size",     "userID",  "key"};
        return below(2) == 0 ? known[below(known.size())] : text();
    }

    json::value value(unsigned depth)
    {
        switch (below(depth == 0 ? 5 : 8)) {
        case 0:
            return json::value(static_cast<std::int64_t>(below(1u << 31)) * (below(2) == 0 ? 1 : -1'000'003));
        case 1:
            return below(2) == 0 ? json::value(true) : json::value(nullptr);
        case 2:
        case 3:
        case 4:
            return json::value(json::string(text()));
        case 5: {
            json::array made;
            for (std::size_t n = below(4); n != 0; --n)
                made.push_back(value(depth - 1));
            return made;
        }
        default:
            json::object made;
            for (std::size_t n = below(5); n != 0; --n)
                made.insert_or_assign(name(), value(depth - 1));
            return made;
        }
    }

private:
    std::mt19937 random_;
};

bool continues(char c)
{
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

/// How many bytes each of its characters has.
std::vector<int> lengths(std::string_view text)
{
    std::vector<int> made;
    for (char const c : text)
        if (continues(c))
            ++made.back();
        else
            made.push_back(1);
    return made;
}

std::size_t digits(std::int64_t number)
{
    std::string const text = std::to_string(number);
    return text.size();
}

void check_same_form(json::value const& a, json::value const& b)
{
    REQUIRE(a.kind() == b.kind());
    if (a.is_string()) {
        CHECK(lengths(std::string_view(a.get_string().data(), a.get_string().size())) ==
              lengths(std::string_view(b.get_string().data(), b.get_string().size())));
    } else if (a.is_int64()) {
        CHECK(digits(a.get_int64()) == digits(b.get_int64()));
        CHECK((a.get_int64() < 0) == (b.get_int64() < 0));
    } else if (a.is_bool()) {
        CHECK(a.get_bool() == b.get_bool());
    } else if (a.is_array()) {
        REQUIRE(a.get_array().size() == b.get_array().size());
        for (std::size_t i = 0; i != a.get_array().size(); ++i)
            check_same_form(a.get_array()[i], b.get_array()[i]);
    } else if (a.is_object()) {
        REQUIRE(a.get_object().size() == b.get_object().size());
        auto theirs = b.get_object().begin();
        for (auto const& [name, value] : a.get_object()) {
            CHECK(lengths(std::string_view(name.data(), name.size())) ==
                  lengths(std::string_view(theirs->key().data(), theirs->key().size())));
            check_same_form(value, theirs->value());
            ++theirs;
        }
    }
}

/// Four characters in a row, wherever there is text.
void add_pieces(std::string_view text, std::set<std::string>& to)
{
    std::vector<int> const sizes = lengths(text);
    std::size_t at = 0;
    for (std::size_t i = 0; i + 4 <= sizes.size(); ++i) {
        int const bytes = sizes[i] + sizes[i + 1] + sizes[i + 2] + sizes[i + 3];
        auto const four = static_cast<std::size_t>(bytes);
        to.insert(std::string(text.substr(at, four)));
        at += static_cast<std::size_t>(sizes[i]);
    }
}

bool is_identifier(std::string_view text)
{
    return text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == text.npos;
}

void collect(json::value const& value, std::string const& name, std::set<std::string>& pieces)
{
    if (value.is_string()) {
        // The one text here that is a word of the protocol's, where its words are kept.
        if (value.get_string() != "library.update.section" || (name != "type" && name != "event"))
            add_pieces(std::string_view(value.get_string().data(), value.get_string().size()), pieces);
    } else if (value.is_int64()) {
        // Numbers of few digits meet by chance.
        std::string const text = std::to_string(value.get_int64());
        if (text.size() > 7)
            pieces.insert(text);
    } else if (value.is_array()) {
        for (json::value const& each : value.get_array())
            collect(each, name, pieces);
    } else if (value.is_object()) {
        for (auto const& [key, each] : value.get_object()) {
            std::string const text(key.data(), key.size());
            if (!is_identifier(text))
                add_pieces(text, pieces);
            collect(each, text, pieces);
        }
    }
}

unsigned rounds()
{
    return std::getenv("PLEX_TEST_LONG") ? 200'000 : 3'000;
}

} // namespace

TEST_CASE("of random hostile JSON four characters in a row never come through, and its form always does")
{
    for (unsigned seed = 0; seed != rounds(); ++seed) {
        source random(seed);
        json::value const original = random.value(5);
        std::string const text = json::serialize(original);
        plex::command::anonymiser anonymise("xyzzy-S3CRET-token");
        plex::command::anonymised const made = anonymise(text);
        INFO("seed " << seed << "\n" << text << "\n" << made.json);
        REQUIRE(made.problem.empty());
        boost::system::error_code failure;
        json::value const parsed = json::parse(made.json, failure);
        REQUIRE_FALSE(failure);
        check_same_form(original, parsed);

        std::set<std::string> before;
        std::set<std::string> after;
        collect(original, {}, before);
        collect(parsed, {}, after);
        for (std::string const& piece : before) {
            INFO("piece " << piece);
            REQUIRE_FALSE(after.contains(piece));
        }
    }
}
