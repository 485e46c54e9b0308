#pragma once

#include "sync/mail.hpp"

#include <plex/error.hpp>

#include <boost/intrusive/list.hpp>

#include <chrono>

namespace plex::detail {

/// Something of the library itself that is told all that the feed learns, at once and by life: an operation, a wait
/// until the server is idle. It keeps the feed running while it is registered, and leaves by being destroyed.
class onlooker : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>
{
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// Of any life. What runs at the registration comes first.
    virtual void told(sync::mail const&, time_point now) = 0;
    /// A list requested then has been taken in, and what it changed was told. Once at the registration, where what runs
    /// is known already.
    /// @param polled there is no feed beside the lists
    virtual void listed(time_point requested, bool polled, time_point now) = 0;
    virtual void interrupted() = 0;
    /// Nothing more will come.
    virtual void ended(error const&) = 0;

protected:
    onlooker() = default;
    onlooker(onlooker const&) = delete;
    onlooker& operator=(onlooker const&) = delete;
    ~onlooker() = default;
};

} // namespace plex::detail
