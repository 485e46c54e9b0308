#include "man_page.hpp"

#include "command_line.hpp"

#include <string_view>

namespace plex::command {
namespace {

// As roff reads it: a backslash begins an escape, a plain hyphen may become a dash, and a full stop or an apostrophe at
// the beginning of a line a request.
std::string escaped(std::string_view text)
{
    std::string out;
    for (char const c : text) {
        if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n'))
            out += "\\&";
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else
            out += c;
    }
    return out;
}

std::string upper(std::string text)
{
    for (char& c : text)
        c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return text;
}

std::string tagged(std::string const& tag, std::string_view text)
{
    return ".TP\n" + tag + '\n' + escaped(text) + '\n';
}

// `--type` in bold, TYPE in italics.
std::string option_tag(CLI::Option const& o)
{
    std::string tag;
    auto const add = [&](std::string_view dashes, std::string const& name) {
        tag += (tag.empty() ? "" : ", ") + ("\\fB" + escaped(dashes) + escaped(name) + "\\fR");
    };
    for (std::string const& name : o.get_snames())
        add("-", name);
    for (std::string const& name : o.get_lnames())
        add("--", name);
    if (o.get_positional())
        tag = "\\fI" + escaped(o.get_name(true, false)) + "\\fR";
    else if (!o.get_type_name().empty())
        tag += " \\fI" + escaped(o.get_type_name()) + "\\fR";
    return tag;
}

std::string options_of(CLI::App const& app, bool with_help)
{
    std::string text;
    for (CLI::Option const* const o : app.get_options())
        if (with_help || o != app.get_help_ptr())
            text += tagged(option_tag(*o), o->get_description());
    return text;
}

std::string entries(std::string_view heading, std::span<entry const> all)
{
    std::string text = ".SH " + std::string(heading) + '\n';
    for (entry const& e : all)
        text += tagged("\\fB" + escaped(e.name) + "\\fR", e.meaning);
    return text;
}

std::string lines_as_they_are(std::string const& lines)
{
    return ".PP\n.EX\n" + escaped(lines) + ".EE\n";
}

} // namespace

std::string man_page(CLI::App const& app)
{
    std::string const name = escaped(app.get_name());
    // Without a date: the same sources make the same page on any day.
    std::string text = ".TH " + upper(name) + " 1 \"\" \"" + name + ' ' + app.version() +
                       "\"\n.nh\n.ad l\n"; // names of options stay whole
    std::string description = app.get_description();
    description.pop_back(); // its full stop
    text += ".SH NAME\n" + name + " \\- " + escaped(description) + '\n';
    text += ".SH SYNOPSIS\n\\fB" + name + "\\fR [\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n";
    text += ".SH COMMANDS\n";
    for (CLI::App const* const command : app.get_subcommands({})) {
        text += ".SS " + escaped(call_of(*command)) + '\n' + escaped(command->get_description()) + ".\n";
        text += options_of(*command, false);
        text += lines_as_they_are(example_of(*command));
    }
    text += ".SH OPTIONS\nThese stand before or after the name of any command.\n" + options_of(app, true);
    text += entries("ENVIRONMENT", environment_entries());
    text += entries("EXIT STATUS", exit_statuses());
    text += ".SH EXAMPLES\n" + lines_as_they_are(example_of(app)).substr(std::string_view(".PP\n").size());
    return text;
}

} // namespace plex::command
