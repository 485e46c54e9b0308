// Writes what is made from the command line and installed beside the command: pages FOLDER

#include "command_line.hpp"
#include "completion.hpp"
#include "man_page.hpp"

#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>

namespace {

void write(std::string const& path, std::string const& text)
{
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    if (!file)
        throw std::runtime_error(path + " cannot be written");
}

} // namespace

int main(int argc, char* argv[])
{
    using namespace plex::command;
    try {
        if (argc != 2)
            throw std::runtime_error("usage: pages FOLDER");
        typed values;
        std::unique_ptr<CLI::App> const app = command_line(values);
        std::string const folder = argv[1] + std::string("/");
        write(folder + app->get_name() + ".1", man_page(*app));
        write(folder + app->get_name() + ".bash", bash_completion(*app));
        write(folder + "_" + app->get_name(), zsh_completion(*app));
        return 0;
    } catch (std::exception const& e) {
        std::cerr << "pages: " << e.what() << '\n';
        return 1;
    }
}
