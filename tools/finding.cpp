#include "finding.hpp"

#include "protocol/json_text.hpp"
#include "protocol/utf8.hpp"
#include "text_width.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace plex::command {

finding good(std::string check, std::string text)
{
    finding f;
    f.check = std::move(check);
    f.good = true;
    f.text = std::move(text);
    return f;
}

finding bad(std::string check, std::string text, std::string advice)
{
    finding f;
    f.check = std::move(check);
    f.good = false;
    f.text = std::move(text);
    f.advice = std::move(advice);
    return f;
}

finding barred(std::string check, std::string text, std::string advice)
{
    finding f = bad(std::move(check), std::move(text), std::move(advice));
    f.of_rights = true;
    return f;
}

finding not_tried(std::string check)
{
    finding f;
    f.check = std::move(check);
    f.text = "not tried, because of what failed before";
    return f;
}

status outcome(std::span<finding const> all) noexcept
{
    status result = done;
    for (finding const& f : all) {
        if (f.good.value_or(true))
            continue;
        if (!f.of_rights)
            return failed;
        result = refused;
    }
    return result;
}

std::string text_lines(finding const& f, palette const& colours)
{
    std::string const verdict = !f.good   ? padded("-", 8)
                                : *f.good ? colours.good(padded("ok", 8))
                                          : colours.bad(padded("FAILED", 8));
    std::string text = padded(f.check, 13) + verdict + protocol::terminal_safe(f.text) + '\n';
    std::string_view rest = f.advice;
    while (!rest.empty()) {
        std::string_view const line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        text += "    " + protocol::terminal_safe(line) + '\n';
    }
    return text;
}

std::string json_line(finding const& f)
{
    std::string line = "{\"check\":";
    protocol::append_json_string(line, f.check);
    line += std::string(",\"ok\":") + (!f.good ? "null" : *f.good ? "true" : "false") + ",\"text\":";
    protocol::append_json_string(line, protocol::terminal_safe(f.text));
    line += ",\"advice\":";
    protocol::append_json_string(line, protocol::terminal_safe(f.advice));
    line += "}\n";
    return line;
}

} // namespace plex::command
