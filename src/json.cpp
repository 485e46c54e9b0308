#include <plex/json.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace plex {

boost::json::object to_json(attributes const& from)
{
    boost::system::error_code ec;
    boost::json::value parsed = boost::json::parse(from.json(), ec);
    if (ec || !parsed.is_object())
        return {};
    return std::move(parsed.get_object());
}

} // namespace plex
