#include "testing/http_message.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/status.hpp>

#include <charconv>

namespace plex::testing {
namespace {

std::string decoded(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned byte = 0;
        if (text[i] == '%' && i + 2 < text.size() &&
            std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16).ptr == text.data() + i + 3) {
            out += static_cast<char>(byte);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

std::string reason(unsigned status)
{
    return std::string(boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(status)));
}

std::optional<std::string> find(std::vector<std::pair<std::string, std::string>> const& fields, std::string_view name)
{
    for (auto const& [known, value] : fields)
        if (boost::beast::iequals(known, name))
            return value;
    return std::nullopt;
}

} // namespace

seen_request::seen_request() = default;

std::optional<std::string> seen_request::header(std::string_view name) const
{
    return find(headers, name);
}

std::optional<std::string> seen_request::query_value(std::string_view name) const
{
    return find(query, name);
}

reply error_reply(unsigned status)
{
    // A page, also for those who asked for JSON (protocol.md 1.5).
    auto const title = reason(status);
    reply answer;
    answer.status = status;
    answer.body = "<html><head><title>" + title + "</title></head><body><h1>" + std::to_string(status) + " " + title +
                  "</h1></body></html>";
    return answer;
}

std::string unauthorized_page(bool with_script)
{
    std::string const script = with_script ? "<script>window.location = '/web/index.html';</script>" : "";
    return "<html><head>" + script + "<title>Unauthorized</title></head><body><h1>401 Unauthorized</h1></body></html>";
}

std::string to_bytes(reply const& answer, bool keep_alive)
{
    std::string bytes = "HTTP/1.1 " + std::to_string(answer.status) + " " + reason(answer.status) + "\r\n";
    bytes += "X-Plex-Protocol: 1.0\r\nCache-Control: no-cache\r\n";
    for (auto const& [name, value] : answer.headers)
        bytes.append(name).append(": ").append(value).append("\r\n");
    if (!answer.content_type.empty())
        bytes.append("Content-Type: ").append(answer.content_type).append("\r\n");
    // An event stream is as long as its connection.
    if (answer.becomes == reply::feed::none && answer.status != 204)
        bytes.append("Content-Length: ").append(std::to_string(answer.body.size())).append("\r\n");
    bytes.append(keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
    return bytes.append(answer.body);
}

bool read_target(seen_request& request, std::string_view base_path)
{
    std::string_view target = request.target;
    auto const question = target.find('?');
    request.path = decoded(target.substr(0, question));
    while (question != std::string_view::npos) {
        target.remove_prefix(std::min(target.size(), target.find_first_of("?&") + 1));
        auto const pair = target.substr(0, target.find('&'));
        auto const equals = pair.find('=');
        if (!pair.empty())
            request.query.emplace_back(decoded(pair.substr(0, equals)), equals == std::string_view::npos
                                                                            ? std::string()
                                                                            : decoded(pair.substr(equals + 1)));
        if (target.find('&') == std::string_view::npos)
            break;
    }
    if (request.path.substr(0, base_path.size()) != base_path)
        return false;
    request.path.erase(0, base_path.size());
    return !request.path.empty() && request.path.front() == '/';
}

} // namespace plex::testing
