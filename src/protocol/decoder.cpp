#include "protocol/decoder.hpp"

#include "protocol/json_reader.hpp"
#include "protocol/message_reader.hpp"
#include "protocol/utf8.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

// Compiled on its own and at -O3: in a file that includes Asio the same code ran 1.4 times slower.
namespace plex::protocol {
namespace {

bool contains_word(std::string_view text, std::string_view lower_case_word)
{
    auto const equal = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
    return std::search(text.begin(), text.end(), lower_case_word.begin(), lower_case_word.end(), equal) != text.end();
}

// Servers and proxies answer in other languages too (protocol.md 1.1, 1.5).
std::string_view other_language(std::string_view text)
{
    auto const head = text.substr(0, 1024);
    return contains_word(head, "<html") || contains_word(head, "<!doctype html") ? "HTML instead of JSON"
                                                                                 : "XML instead of JSON";
}

std::span<char> without_last_space(std::span<char> text)
{
    auto const is_space = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
    while (!text.empty() && is_space(text.back()))
        text = text.first(text.size() - 1);
    return text;
}

// A message of the WebSocket that says so (protocol.md 2.13, 3), as servers write it. Such messages are most of a feed
// that is not filtered, and need no reader.
bool is_of_another_type(std::string_view text)
{
    static constexpr std::string_view start = "{\"NotificationContainer\":{\"type\":\"";
    static constexpr std::string_view activity = "activity\"";
    if (text.size() < start.size() + activity.size() || text.substr(start.size()).starts_with(activity))
        return false;
    if (!text.starts_with(start) || !text.ends_with("}}"))
        return false;
    return text.substr(start.size()).find("ActivityNotification") == text.npos;
}

} // namespace

class decoder::reader
{
public:
    decoded notification(std::span<char> bytes, unsigned max_depth)
    {
        release_large(bytes.size());
        auto const text = without_last_space(bytes);
        if (is_of_another_type(std::string_view(text.data(), text.size()))) {
            message_.drop_updates();
            problem_ = {};
            repaired_ = 0;
            return decoded::other;
        }
        return read(envelope::notification, text, max_depth);
    }

    decoded list(std::span<char> bytes, unsigned max_depth)
    {
        release_large(bytes.size());
        return read(envelope::list, without_last_space(bytes), max_depth);
    }

    decoded take_list(std::unique_ptr<char[]> bytes, std::span<char> body, unsigned max_depth)
    {
        release_large(body.size());
        body_ = std::move(bytes);
        return read(envelope::list, without_last_space(body), max_depth);
    }

    void release()
    {
        message_.drop_updates();
        body_.reset();
        if (had_large_)
            *this = reader();
    }

    message_reader const& result() const { return message_; }
    std::string_view problem() const { return problem_; }
    std::size_t repaired() const { return repaired_; }

private:
    decoded read(envelope e, std::span<char> text, unsigned max_depth)
    {
        repaired_ = 0;
        bool const is_valid = valid_utf8(std::string_view(text.data(), text.size()));
        if (!is_valid && repaired_size(std::string_view(text.data(), text.size())) - text.size() > most_growth) {
            problem_ = "text of which too much is no UTF-8";
            message_.drop_updates();
            return decoded::malformed;
        }
        bool const ends_with_brace = !text.empty() && text.back() == '}';
        if (!is_valid || !ends_with_brace) [[unlikely]] {
            text = copy(text, is_valid);
            body_.reset();
        }
        auto const fault =
            message_.read(e, text, ends_with_brace, std::clamp(max_depth, least_depth, json_reader::most_depth));
        problem_ = find_problem(e, std::string_view(text.data(), text.size()), fault);
        if (!problem_.empty()) {
            message_.drop_updates();
            repaired_ = 0;
            return decoded::malformed;
        }
        repaired_ += message_.repaired();
        return e == envelope::list || message_.has_entries() ? decoded::activities : decoded::other;
    }

    std::string_view find_problem(envelope e, std::string_view text, json_fault fault) const
    {
        if (message_.has_too_many())
            return "JSON of more than 8192 activities";
        if (fault == json_fault::none) {
            if (!message_.root_is_object())
                return "JSON, but not an object";
            if (e == envelope::list && !message_.has_container())
                return "JSON without a MediaContainer object";
            if (message_.list_is_scalar())
                return "JSON whose Activity is no list";
            return {};
        }
        auto const start = text.find_first_not_of(" \t\r\n");
        if (start == text.npos)
            return "empty";
        if (text[start] == '<')
            return other_language(text.substr(start));
        if (fault == json_fault::truncated)
            return "truncated JSON";
        return fault == json_fault::too_deep ? "JSON nested deeper than config::max_depth" : "not JSON";
    }

    // With room for the NUL at its end and behind, and valid.
    std::span<char> copy(std::span<char const> text, bool is_valid)
    {
        std::string_view const from(text.data(), text.size());
        copy_.clear();
        copy_.reserve((is_valid ? from.size() : repaired_size(from)) + json_reader::slack);
        if (is_valid)
            copy_.append(from);
        else
            repaired_ = repair_utf8(from, copy_);
        std::size_t const size = copy_.size();
        copy_.append(json_reader::slack, '\0');
        return std::span<char>(copy_).first(size);
    }

    // What a large message took, such as a list, is not held for the small ones that follow.
    void release_large(std::size_t next_size)
    {
        if (next_size > 64u << 10) {
            had_large_ = true;
        } else if (had_large_ && next_size < 16u << 10) {
            *this = reader();
        }
    }

    // What a list or a notification has where nothing is unknown: a Context, within document, container and entries.
    static constexpr unsigned least_depth = 6;

    // A byte that is none may become three: what is repaired stays of the size that was asked for.
    static constexpr std::size_t most_growth = 1u << 20;

    message_reader message_;
    std::unique_ptr<char[]> body_; // of a list that was taken
    std::string copy_;
    std::string_view problem_;
    std::size_t repaired_ = 0;
    bool had_large_ = false;
};

decoder& decoder::of_this_thread()
{
    static thread_local decoder one;
    return one;
}

decoder::decoder() : reader_(std::make_unique<reader>()) {}
decoder::decoder(decoder&&) noexcept = default;
decoder::~decoder() = default;

decoded decoder::notification(std::span<char> bytes, unsigned max_depth)
{
    return reader_->notification(bytes, max_depth);
}

decoded decoder::list(std::span<char> bytes, unsigned max_depth)
{
    return reader_->list(bytes, max_depth);
}

decoded decoder::take_list(std::unique_ptr<char[]> bytes, std::span<char> body, unsigned max_depth)
{
    return reader_->take_list(std::move(bytes), body, max_depth);
}

void decoder::release()
{
    reader_->release();
}

std::span<activity_update const> decoder::updates() const noexcept
{
    return reader_->result().updates();
}

std::string_view decoder::problem() const noexcept
{
    return reader_->problem();
}

std::size_t decoder::malformed_entries() const noexcept
{
    return reader_->result().malformed_entries();
}

std::size_t decoder::repaired_utf8() const noexcept
{
    return reader_->repaired();
}

} // namespace plex::protocol
