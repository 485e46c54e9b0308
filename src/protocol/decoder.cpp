#include "protocol/decoder.hpp"

#include "protocol/json_reader.hpp"
#include "protocol/message_handler.hpp"
#include "protocol/utf8.hpp"

#include <algorithm>

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

} // namespace

class decoder::reader
{
public:
    decoded read(envelope e, std::span<char const> bytes)
    {
        std::string_view text(bytes.data(), bytes.size());
        repaired_ = 0;
        if (!valid_utf8(text)) {
            repaired_text_.clear();
            repaired_ = repair_utf8(text, repaired_text_);
            repaired_text_.append(slack, '\0');
            text = std::string_view(repaired_text_).substr(0, repaired_text_.size() - slack);
        }
        handler_.start(e, text.size());
        problem_ = find_problem(e, text, json_.read(text, handler_));
        if (!problem_.empty()) {
            handler_.builder().drop_updates();
            repaired_ = 0;
            return decoded::malformed;
        }
        repaired_ += json_.repaired();
        return e == envelope::list || handler_.has_entries() ? decoded::activities : decoded::other;
    }

    activity_builder const& result() const { return handler_.builder(); }
    std::string_view problem() const { return problem_; }
    std::size_t repaired() const { return repaired_; }

private:
    static constexpr std::size_t slack = 16;

    std::string_view find_problem(envelope e, std::string_view text, json_fault fault) const
    {
        if (fault == json_fault::none) {
            if (!handler_.root_is_object())
                return "JSON, but not an object";
            if (e == envelope::list && !handler_.has_container())
                return "JSON without a MediaContainer object";
            if (handler_.list_is_scalar())
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
        return fault == json_fault::too_deep ? "JSON nested deeper than 32" : "not JSON";
    }

    json_reader json_;
    message_handler handler_;
    std::string repaired_text_;
    std::string_view problem_;
    std::size_t repaired_ = 0;
};

decoder::decoder() : reader_(std::make_unique<reader>()) {}
decoder::decoder(decoder&&) noexcept = default;
decoder& decoder::operator=(decoder&&) noexcept = default;
decoder::~decoder() = default;

decoded decoder::notification(std::span<char> bytes)
{
    return reader_->read(envelope::notification, bytes);
}

decoded decoder::list(std::span<char> bytes)
{
    return reader_->read(envelope::list, bytes);
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
