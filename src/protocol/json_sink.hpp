#pragma once

#include "protocol/json_text.hpp"

#include <string>
#include <string_view>

namespace plex::protocol {

// Takes a JSON reader's events and writes them down as JSON without white space and with the shortest escapes: never
// more bytes than the text had that was read.
class json_sink
{
public:
    explicit json_sink(std::string& to) : to_(&to) {}

    void begin_object() { begin('{'); }
    void end_object() { end('}'); }
    void begin_array() { begin('['); }
    void end_array() { end(']'); }

    // @param verbatim whether the text stands so between quotes, without escapes
    void key(std::string_view name, bool verbatim)
    {
        string(name, verbatim);
        to_->push_back(':');
        separated_ = true;
    }
    void string(std::string_view text, bool verbatim)
    {
        separate();
        if (verbatim)
            to_->append(1, '"').append(text).push_back('"');
        else
            append_json_string(*to_, text);
    }
    void number(std::string_view text)
    {
        separate();
        to_->append(text);
    }
    void boolean(bool value) { number(value ? "true" : "false"); }
    void null() { number("null"); }

private:
    void begin(char bracket)
    {
        separate();
        to_->push_back(bracket);
        separated_ = true;
    }
    void end(char bracket)
    {
        to_->push_back(bracket);
        separated_ = false;
    }
    void separate()
    {
        if (!separated_)
            to_->push_back(',');
        separated_ = false;
    }

    std::string* to_;
    bool separated_ = true; // whether the next one needs no comma before it
};

} // namespace plex::protocol
