#pragma once

#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plex::service {

/// What is wrong with the configuration, where, and what to do about it; one line that is safe for a log. It never
/// repeats a value of the file, which may be a token in the wrong place.
struct config_error : std::runtime_error {
    using runtime_error::runtime_error;
};

/// A value of the configuration file, with the place it stands at: `servers[1].url`.
class config_value
{
public:
    /// The whole of a file.
    /// @param file its name, for what is told
    /// @param text what is in it
    /// @throws config_error with line and column where it is no JSON
    config_value(std::string file, std::string_view text);

    /// Refuses every member but these: a mistyped name would go unnoticed.
    void only(std::initializer_list<std::string_view> names) const;

    /// The member of that name; nothing where there is none.
    std::optional<config_value> find(std::string_view name) const;

    /// The elements of an array.
    std::vector<config_value> elements() const;
    /// The members of an object, by name.
    std::vector<std::pair<std::string, config_value>> members() const;
    /// A string that is not empty.
    std::string text() const;

    /// `true` or `false`.
    bool flag() const;
    /// A whole number within these bounds.
    std::uint64_t number(std::uint64_t least, std::uint64_t most) const;

    /// `servers[1].url`; empty for the whole.
    std::string const& place() const noexcept { return place_; }

    /// @throws config_error "FILE: PLACE: WHAT"
    [[noreturn]] void refuse(std::string_view what) const;

private:
    config_value(std::shared_ptr<std::string const> file, std::shared_ptr<boost::json::value const>, std::string place);
    config_value at(boost::json::value const&, std::string place) const;

    std::shared_ptr<std::string const> file_;
    std::shared_ptr<boost::json::value const> value_; // shares the whole
    std::string place_;
};

} // namespace plex::service
