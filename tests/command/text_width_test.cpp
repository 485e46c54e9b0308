#include "text_width.hpp"

#include "catch.hpp"

#include <string>

using namespace plex::command;

TEST_CASE("what East Asians write takes two columns a character, marks take none")
{
    CHECK(columns("") == 0);
    CHECK(columns("abc") == 3);
    CHECK(columns("Café") == 4);
    CHECK(columns("日本") == 4);
    CHECK(columns("한글") == 4);
    CHECK(columns("🎬") == 2);
    CHECK(columns("e\u0301") == 1);
    CHECK(columns("\ufffd") == 1);
    CHECK(columns("ｆｕｌｌ") == 8);
}

TEST_CASE("an emoji that a selector makes wide counts as wide")
{
    CHECK(columns("❤\ufe0f") == 2);
}

TEST_CASE("text that has room stays as it is")
{
    CHECK(fitted("abc", 3) == "abc");
    CHECK(fitted("日本", 4) == "日本");
    CHECK(fitted("", 0).empty());
}

TEST_CASE("text without room ends with dots within the width")
{
    CHECK(fitted("abcd", 3) == "ab…");
    CHECK(fitted("abcd", 1) == "…");
    CHECK(fitted("abcd", 0).empty());
    CHECK(fitted("日本語", 5) == "日本…");
    CHECK(fitted("日本語", 4) == "日…"); // half a character is none
    CHECK(fitted("日本語", 2) == "…");
}

TEST_CASE("fitted text is never wider than asked for and splits no code point")
{
    std::string const text = "aé日🎬e\u0301❤\ufe0fzz語";
    for (std::size_t width = 0; width != 16; ++width) {
        std::string const cut = fitted(text, width);
        INFO(width << ": " << cut);
        CHECK(columns(cut) <= width);
        if (cut != text && width > 0) {
            std::string const kept = cut.substr(0, cut.size() - std::string("…").size());
            CHECK(text.starts_with(kept));
            CHECK((static_cast<unsigned char>(text[kept.size()]) & 0xc0) != 0x80);
        }
    }
}

TEST_CASE("a name of nothing but marks is cut too")
{
    std::string marks;
    for (int i = 0; i != 1000; ++i)
        marks += "\u0301";
    CHECK(fitted(marks, 10).size() < 100);
}

TEST_CASE("padding counts columns, not bytes")
{
    CHECK(padded("日", 4) == "日  ");
    CHECK(padded("é", 3) == "é  ");
    CHECK(padded("abcd", 2) == "abcd");
}
