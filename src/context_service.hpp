#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>

#include <memory>
#include <mutex>
#include <vector>

namespace plex::detail {

/// What must let go of an execution context when that is destroyed before its user is.
class context_bound
{
public:
    virtual void context_destroyed() noexcept = 0;

protected:
    ~context_bound() = default;
};

/// Our foot in the user's execution context: a strand, timer or socket destroyed after its context touches freed
/// memory, so what outlives the context is told in time.
class context_service final : public boost::asio::execution_context::service
{
public:
    using key_type = context_service;
    static boost::asio::execution_context::id id;

    explicit context_service(boost::asio::execution_context& context) : service(context) {}

    static void watch(boost::asio::any_io_executor const&, std::weak_ptr<context_bound>);

private:
    void shutdown() noexcept override;

    std::mutex mutex_; // clients are made and destroyed on any thread of the context
    std::vector<std::weak_ptr<context_bound>> watched_;
};

} // namespace plex::detail
