#pragma once

#include "net/reply_stream.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>

#include <cstdint>

namespace plex::net {

/// A body for Beast's parser that keeps nothing: it notes where the parts lie.
struct passing_body {
    struct value_type {
        std::vector<std::span<char>>* parts = nullptr;
    };

    class reader
    {
    public:
        template <bool IsRequest, class Fields>
        reader(boost::beast::http::header<IsRequest, Fields>&, value_type& value) : value_(value)
        {
        }
        void init(boost::optional<std::uint64_t> const&, error_code& ec) { ec = {}; }

        template <class Buffers>
        std::size_t put(Buffers const& buffers, error_code& ec)
        {
            ec = {};
            std::size_t size = 0;
            for (auto it = boost::asio::buffer_sequence_begin(buffers); it != boost::asio::buffer_sequence_end(buffers);
                 ++it) {
                boost::asio::const_buffer const part = *it;
                // They lie in the caller's own bytes, which `take` was given to be changed.
                value_.parts->emplace_back(static_cast<char*>(const_cast<void*>(part.data())), part.size());
                size += part.size();
            }
            return size;
        }
        void finish(error_code& ec) { ec = {}; }

    private:
        value_type& value_;
    };
};

class reply_stream::parser : public boost::beast::http::response_parser<passing_body>
{
public:
    using boost::beast::http::response_parser<passing_body>::response_parser;
};

} // namespace plex::net
