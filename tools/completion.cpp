#include "completion.hpp"

#include "command_line.hpp"

#include <algorithm>
#include <set>
#include <sstream>
#include <string_view>
#include <vector>

namespace plex::command {
namespace {

bool takes_value(CLI::Option const& o)
{
    return o.get_items_expected_max() > 0; // flags take none
}

bool takes_file(CLI::Option const& o)
{
    return o.get_type_name() == "FILE" || o.get_type_name() == "PATH";
}

// `auto|websocket`; empty where it is not one of a few words.
std::vector<std::string> choices(CLI::Option const& o)
{
    std::string const type = o.get_type_name();
    return type.find('|') == std::string::npos ? std::vector<std::string>() : CLI::detail::split(type, '|');
}

std::vector<std::string> names(CLI::Option const& o)
{
    std::vector<std::string> all;
    for (std::string const& name : o.get_snames())
        all.push_back('-' + name);
    for (std::string const& name : o.get_lnames())
        all.push_back("--" + name);
    return all;
}

std::vector<CLI::Option const*> options_of(CLI::App const& app)
{
    return app.get_options([](CLI::Option const* o) { return o->nonpositional(); });
}

std::vector<CLI::Option const*> arguments_of(CLI::App const& app)
{
    return app.get_options([](CLI::Option const* o) { return o->get_positional(); });
}

std::string option_words(CLI::App const& app)
{
    std::vector<std::string> words;
    for (CLI::Option const* const o : options_of(app))
        for (std::string const& name : names(*o))
            if (name.starts_with("--")) // whoever types -h needs no completion
                words.push_back(name);
    return CLI::detail::join(words, " ");
}

// What bash does for the value of an option or for an argument.
std::string bash_action(CLI::Option const& o)
{
    if (takes_file(o))
        return "compopt -o default";
    std::vector<std::string> const words = choices(o);
    return words.empty() ? ":" : "_plex_activities_words '" + CLI::detail::join(words, " ") + '\'';
}

// In single quotes.
std::string single_quoted(std::string_view text)
{
    std::string out = "'";
    for (char const c : text)
        out += c == '\'' ? "'\\''" : std::string(1, c);
    return out + '\'';
}

// Within a description of zsh's _arguments and _describe.
std::string zsh_escaped(std::string_view text)
{
    std::string out;
    for (char const c : text) {
        if (c == '[' || c == ']' || c == ':' || c == '\\')
            out += '\\';
        out += c;
    }
    return out;
}

std::string zsh_action(CLI::Option const& o)
{
    if (takes_file(o))
        return "_files";
    std::vector<std::string> const words = choices(o);
    return words.empty() ? " " : '(' + CLI::detail::join(words, " ") + ')';
}

std::string zsh_option(CLI::Option const& o, std::string const& name)
{
    bool const repeats = o.get_expected_max() == CLI::detail::expected_max_vector_size;
    std::vector<std::string> without = repeats ? std::vector<std::string>() : names(o);
    for (CLI::Option const* const other : o.get_excludes())
        for (std::string const& other_name : names(*other))
            without.push_back(other_name);
    std::string spec = without.empty() ? "" : '(' + CLI::detail::join(without, " ") + ')';
    spec += (repeats ? "*" : "") + name + (takes_value(o) ? "=" : "") + '[' + zsh_escaped(o.get_description()) + ']';
    if (takes_value(o)) {
        std::string const what = choices(o).empty() ? o.get_type_name() : "one of them";
        spec += ':' + zsh_escaped(what) + ':' + zsh_action(o);
    }
    return single_quoted(spec);
}

void add_zsh_options(std::ostream& out, CLI::App const& app, std::string_view indent)
{
    for (CLI::Option const* const o : options_of(app))
        for (std::string const& name : names(*o))
            out << indent << zsh_option(*o, name) << '\n';
}

} // namespace

std::string bash_completion(CLI::App const& app)
{
    std::vector<CLI::App const*> const commands = app.get_subcommands({});
    std::ostringstream with_values;
    std::ostringstream of_options;
    std::ostringstream of_arguments;
    std::ostringstream words_of_commands;
    std::vector<std::string> command_names;
    std::set<std::string> known;
    auto const add_values = [&](CLI::App const& of) {
        for (CLI::Option const* const o : options_of(of))
            for (std::string const& name : names(*o))
                if (takes_value(*o) && known.insert(name).second) {
                    with_values << (known.size() == 1 ? "" : "|") << name;
                    of_options << "    " << name << ") " << bash_action(*o) << "; return ;;\n";
                }
    };
    add_values(app);
    for (CLI::App const* const command : commands) {
        add_values(*command);
        command_names.push_back(command->get_name());
        words_of_commands << "    " << command->get_name() << ") options+=' " << option_words(*command) << "' ;;\n";
        std::vector<CLI::Option const*> const arguments = arguments_of(*command);
        for (std::size_t i = 0; i != arguments.size(); ++i)
            of_arguments << "    " << command->get_name() << '/' << i << ") " << bash_action(*arguments[i]) << " ;;\n";
    }

    std::ostringstream out;
    out << "# bash completion of " << app.get_name() << ", made from its options\n\n"
        << R"(_plex_activities_words()
{
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current")
}

_plex_activities()
{
    COMPREPLY=()
    # The line up to the cursor: in COMP_WORDS a URL is several words.
    local -a words
    local line=${COMP_LINE:0:COMP_POINT}
    read -a words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=('')
    local current=${words[-1]} last=$((${#words[@]} - 1))

    # Which command, and how many arguments of its own are there already.
    local command='' option='' arguments=0 i
    for ((i = 1; i < last; ++i)); do
        case ${words[i]} in
        )"
        << with_values.str() << R"() option=${words[i]}; ((++i)) ;;
        -*) ;;
        *) if [[ $command ]]; then ((++arguments)); else command=${words[i]}; fi ;;
        esac
    done
    ((i > last)) || option=''
    if [[ $current == --*=* ]]; then
        option=${current%%=*} current=${current#*=}
    fi

    case $option in
)" << of_options.str()
        << R"(    esac

    local options=')"
        << option_words(app) << R"('
    case $command in
    '') [[ $current == -* ]] || { _plex_activities_words ')"
        << CLI::detail::join(command_names, " ") << R"('; return; } ;;
)" << words_of_commands.str()
        << R"(    esac
    if [[ $current == -* ]]; then
        _plex_activities_words "$options"
        return
    fi
    case $command/$arguments in
)" << of_arguments.str()
        << R"(    esac
}

complete -F _plex_activities )"
        << app.get_name() << '\n';
    return out.str();
}

std::string zsh_completion(CLI::App const& app)
{
    std::ostringstream out;
    out << "#compdef " << app.get_name() << "\n# zsh completion of " << app.get_name() << ", made from its options\n\n"
        << "_plex_activities() {\n    local curcontext=$curcontext state line ret=1\n    typeset -A opt_args\n"
        << "    local -a commands=(\n";
    for (CLI::App const* const command : app.get_subcommands({}))
        out << "        " << single_quoted(command->get_name() + ':' + zsh_escaped(command->get_description())) << '\n';
    out << "    )\n    local -a everywhere=(\n";
    add_zsh_options(out, app, "        ");
    out << R"(    )
    _arguments -C $everywhere '1:command:->command' '*::argument:->arguments' && ret=0
    case $state in
    command) _describe -t commands command commands && ret=0 ;;
    arguments)
        curcontext=${curcontext%:*}-$words[1]:
        case $words[1] in
)";
    for (CLI::App const* const command : app.get_subcommands({})) {
        out << "        " << command->get_name() << ")\n            _arguments $everywhere \\\n";
        for (CLI::Option const* const o : options_of(*command))
            if (o != command->get_help_ptr())
                for (std::string const& name : names(*o))
                    out << "                " << zsh_option(*o, name) << " \\\n";
        for (CLI::Option const* const o : arguments_of(*command))
            out << "                "
                << single_quoted(':' + zsh_escaped(o->get_name(true, false)) + ':' + zsh_action(*o)) << " \\\n";
        out << "                && ret=0\n            ;;\n";
    }
    out << "        esac\n        ;;\n    esac\n    return ret\n}\n\n_plex_activities \"$@\"\n";
    return out.str();
}

} // namespace plex::command
