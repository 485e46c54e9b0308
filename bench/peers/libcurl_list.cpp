// What a user of libcurl's easy interface and a JSON library would write to ask for the list again and again.
#include "../measure.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <curl/curl.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace json = boost::json;
using namespace plex::bench;

struct activity {
    std::string uuid;
    std::string type;
    std::string title;
    std::string subtitle;
    std::int64_t progress = 0;
    std::int64_t user_id = 0;
    bool cancellable = false;
    json::object context;
};

std::string text(json::object const& in, char const* key)
{
    return std::string(in.at(key).as_string());
}

std::vector<activity> activities(std::string const& body)
{
    std::vector<activity> found;
    json::value const document = json::parse(body);
    for (json::value const& each : document.at("MediaContainer").at("Activity").as_array()) {
        json::object const& in = each.as_object();
        found.push_back({text(in, "uuid"), text(in, "type"), text(in, "title"), text(in, "subtitle"),
                         in.at("progress").as_int64(), in.at("userID").as_int64(), in.at("cancellable").as_bool(),
                         in.at("Context").as_object()});
    }
    return found;
}

std::size_t append(char* data, std::size_t size, std::size_t count, void* body)
{
    static_cast<std::string*>(body)->append(data, size * count);
    return size * count;
}

class requester
{
public:
    explicit requester(std::uint64_t port)
    {
        // With the headers that Plex wants from everybody (protocol.md 1.7).
        for (char const* header : {"Accept: application/json", "X-Plex-Client-Identifier: bench",
                                   "X-Plex-Product: plex-activities", "X-Plex-Token: token-of-the-bench-x"})
            headers_.reset(curl_slist_append(headers_.release(), header));
        std::string const url = "http://127.0.0.1:" + std::to_string(port) + "/activities";
        curl_easy_setopt(handle_.get(), CURLOPT_URL, url.c_str());
        curl_easy_setopt(handle_.get(), CURLOPT_HTTPHEADER, headers_.get());
        curl_easy_setopt(handle_.get(), CURLOPT_WRITEFUNCTION, &append);
        curl_easy_setopt(handle_.get(), CURLOPT_WRITEDATA, static_cast<void*>(&body_));
    }

    void ask(std::uint64_t times)
    {
        for (std::uint64_t i = 0; i != times; ++i) {
            body_.clear();
            long status = 0;
            if (curl_easy_perform(handle_.get()) != CURLE_OK ||
                curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status) != CURLE_OK || status != 200 ||
                activities(body_).size() != 1)
                throw std::runtime_error("not a list");
        }
    }

private:
    struct deleter {
        void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
        void operator()(curl_slist* list) const { curl_slist_free_all(list); }
    };

    std::string body_;
    std::unique_ptr<curl_slist, deleter> headers_;
    std::unique_ptr<CURL, deleter> handle_{curl_easy_init()};
};

} // namespace

int main(int argc, char** argv)
{
    std::uint64_t const port = number(argc, argv, 1, "PORT COUNT");
    std::uint64_t const requests = number(argc, argv, 2, "PORT COUNT");
    requester client(port);
    client.ask(100);
    reading const begin = reading::now();
    client.ask(requests);
    print("libcurl", requests, reading::now() - begin);
}
