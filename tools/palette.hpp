#pragma once

#include <string>
#include <string_view>

namespace plex::command {

/// Whether what is written to `file` reaches a terminal that knows more than plain lines.
bool is_able_terminal(int file) noexcept;

/// Colours for what people read; one that is made by itself leaves all as it is. What a server has sent is made safe
/// for a terminal before it is coloured.
class palette
{
public:
    palette() = default;
    /// Colours where `file` is a terminal that shows them and NO_COLOR does not forbid it (no-color.org).
    static palette of(int file) noexcept;

    std::string heading(std::string_view text) const { return coloured("1", text); }
    std::string good(std::string_view text) const { return coloured("32", text); }
    std::string doubtful(std::string_view text) const { return coloured("33", text); }
    std::string bad(std::string_view text) const { return coloured("31", text); }
    std::string moving(std::string_view text) const { return coloured("36", text); }

private:
    std::string coloured(std::string_view parameter, std::string_view text) const;

    bool colours_ = false;
};

} // namespace plex::command
