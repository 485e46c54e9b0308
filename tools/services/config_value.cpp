#include "services/config_value.hpp"

#include "protocol/utf8.hpp"

#include <boost/json/parse_options.hpp>
#include <boost/json/stream_parser.hpp>

#include <algorithm>
#include <utility>

namespace plex::service {

namespace json = boost::json;

namespace {

std::string line_and_column(std::string_view text)
{
    auto const line = std::count(text.begin(), text.end(), '\n') + 1;
    std::size_t const last_break = text.rfind('\n');
    std::size_t const column = last_break == text.npos ? text.size() + 1 : text.size() - last_break;
    return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

json::value parse(std::string const& file, std::string_view text)
{
    json::stream_parser parser;
    json::error_code failure;
    std::size_t const read = parser.write_some(text.data(), text.size(), failure);
    std::size_t const after = text.find_first_not_of(" \t\r\n", read);
    if (!failure && after == text.npos)
        parser.finish(failure);
    else if (!failure)
        failure = json::error::extra_data;
    if (failure)
        throw config_error(file + ": " + line_and_column(text.substr(0, read)) + ": this is no JSON (" +
                           failure.message() + "): strings and names in double quotes, no comma after the last member");
    return parser.release();
}

} // namespace

config_value::config_value(std::string file, std::string_view text)
    : file_(std::make_shared<std::string const>(protocol::terminal_safe(file))),
      value_(std::make_shared<json::value const>(parse(*file_, text)))
{
}

config_value::config_value(std::shared_ptr<std::string const> file, std::shared_ptr<json::value const> value,
                           std::string place)
    : file_(std::move(file)), value_(std::move(value)), place_(std::move(place))
{
}

config_value config_value::at(json::value const& value, std::string place) const
{
    return {file_, std::shared_ptr<json::value const>(value_, &value), std::move(place)};
}

void config_value::only(std::initializer_list<std::string_view> names) const
{
    for (auto const& [name, value] : members()) {
        if (std::find(names.begin(), names.end(), name) != names.end())
            continue;
        std::string known;
        for (std::string_view const n : names)
            known += (known.empty() ? "" : ", ") + std::string(n);
        value.refuse("is not known here; known are " + known);
    }
}

std::optional<config_value> config_value::find(std::string_view name) const
{
    if (!value_->is_object())
        refuse("has to be an object: {…}");
    json::value const* const member = value_->get_object().if_contains(name);
    if (!member)
        return std::nullopt;
    return at(*member, place_ + (place_.empty() ? "" : ".") + std::string(name));
}

std::vector<config_value> config_value::elements() const
{
    if (!value_->is_array())
        refuse("has to be an array: […]");
    std::vector<config_value> all;
    for (json::value const& element : value_->get_array())
        all.push_back(at(element, place_ + '[' + std::to_string(all.size()) + ']'));
    return all;
}

std::vector<std::pair<std::string, config_value>> config_value::members() const
{
    if (!value_->is_object())
        refuse("has to be an object: {…}");
    std::vector<std::pair<std::string, config_value>> all;
    for (json::key_value_pair const& member : value_->get_object()) {
        std::string name(member.key());
        config_value value = at(member.value(), place_ + (place_.empty() ? "" : ".") + name);
        all.emplace_back(std::move(name), std::move(value));
    }
    return all;
}

std::string config_value::text() const
{
    if (!value_->is_string() || value_->get_string().empty())
        refuse("has to be a string that is not empty: \"…\"");
    return std::string(value_->get_string());
}

bool config_value::flag() const
{
    if (!value_->is_bool())
        refuse("has to be true or false");
    return value_->get_bool();
}

std::uint64_t config_value::number(std::uint64_t least, std::uint64_t most) const
{
    bool const is_whole = value_->is_int64() && value_->get_int64() >= 0; // none of ours needs more
    std::uint64_t const n = is_whole ? static_cast<std::uint64_t>(value_->get_int64()) : 0;
    if (!is_whole || n < least || n > most)
        refuse("has to be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return n;
}

void config_value::refuse(std::string_view what) const
{
    std::string const place = place_.empty() ? std::string() : protocol::terminal_safe(place_) + ": ";
    throw config_error(*file_ + ": " + place + std::string(what));
}

} // namespace plex::service
