#include "command_line.hpp"
#include "completion.hpp"
#include "man_page.hpp"
#include "text_width.hpp"

#include "catch.hpp"

#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

using namespace plex::command;

namespace {

struct tree {
    typed values;
    std::unique_ptr<CLI::App> app = command_line(values);
};

bool has(std::string const& text, std::string_view wanted)
{
    return text.find(wanted) != std::string::npos;
}

// A line of a shell, up to what follows the command.
std::vector<std::string> words_of(std::string const& line)
{
    std::istringstream in(line.substr(0, line.find(" && ")));
    std::vector<std::string> words;
    for (std::string word; in >> word;)
        words.push_back(word);
    return words;
}

} // namespace

TEST_CASE("the help of each command has an example, which is a line that it takes")
{
    tree const t;
    setenv("PLEX_URL", "http://127.0.0.1:1", 1);
    for (CLI::App const* const command : t.app->get_subcommands({})) {
        CAPTURE(command->get_name());
        std::string const example = example_of(*command);
        CHECK(has(command->help(), "\nExample:\n  " + example + "\n"));
        std::vector<std::string> words = words_of(example);
        REQUIRE(words.size() >= 2);
        CHECK(words[0] == "plex-activities");
        CHECK(words[1] == command->get_name());
        std::vector<char*> arguments;
        for (std::string& word : words)
            arguments.push_back(word.data());
        CHECK_NOTHROW(parse_arguments(static_cast<int>(arguments.size()), arguments.data()));
    }
    unsetenv("PLEX_URL");
    CHECK(has(t.app->help(), "\nExample:\n  " + example_of(*t.app).substr(0, 15)));
}

TEST_CASE("help fits eighty columns, and says what a command needs, the environment and each exit status")
{
    tree const t;
    std::string all = t.app->help();
    for (CLI::App const* const command : t.app->get_subcommands({})) {
        CHECK(has(all, "\n  " + call_of(*command) + " "));
        all += command->help();
    }
    std::istringstream lines(all);
    for (std::string line; std::getline(lines, line);) {
        CAPTURE(line);
        CHECK(columns(line) <= 80);
    }
    CHECK(has(all, "\n  run METHOD TARGET "));
    for (std::string_view const entry : {"PLEX_TOKEN", "NO_COLOR", "0           done", "130         interrupted"})
        CHECK(has(all, entry));
}

TEST_CASE("what roff and shells would obey reaches them as text")
{
    CLI::App app("A $(date) `date` it's \\ back-slash.", "prog");
    app.set_version_flag("--version", "1");
    app.footer("Example:\n  .so /etc/passwd\n  'x' \\n\n");
    bool flag = false;
    app.add_flag("--flag", flag, "'tis [one]: of\n.them");
    CLI::App& command = *app.add_subcommand("do", "Don't: $(date)");
    command.footer("Example:\n  prog do\n");

    std::string const page = man_page(app);
    CHECK(has(page, "prog \\- A $(date) `date` it's \\e back\\-slash\n"));
    CHECK(has(page, "\n\\&.so /etc/passwd\n\\&'x' \\en\n"));
    CHECK(has(page, "\n\\&'tis [one]: of\n\\&.them\n"));
    CHECK_FALSE(has(page, "\n.so"));
    std::string const zsh = zsh_completion(app);
    CHECK(has(zsh, R"('do:Don'\''t\: $(date)')"));
    CHECK(has(zsh, R"('(--flag)--flag['\''tis \[one\]\: of)"));
    CHECK_FALSE(has(bash_completion(app), "$(date)")); // it shows no descriptions
}
