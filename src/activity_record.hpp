#pragma once

#include <plex/activity.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace plex::detail {

/// What a record is made of. `context`, `response` and `extra` are JSON objects' texts, empty where there is none.
struct activity_fields {
    std::string_view uuid;
    std::string_view type;
    std::string_view title;
    std::string_view subtitle;
    std::string_view context;
    std::string_view response;
    std::string_view extra;
    std::optional<int> progress; ///< empty when indeterminate or never sent
    std::optional<std::int64_t> user_id;
    bool cancellable = false;
    bool context_left_out = false;
    bool response_left_out = false;
    bool extra_left_out = false;
};

/// The immutable record behind an `activity`: one block of memory, its strings behind it. Lets one event reach any
/// number of subscribers at the price of a reference each.
class activity_record
{
public:
    /// A record with one reference.
    static activity_record const* make(activity_fields const&);

    void acquire() const noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
    // A locked operation costs as much as twenty others. The three that follow do without where whoever calls holds
    // all references there are: then nobody else can be at it. They acquire, for what the last other holder did.

    /// By the holder of a reference that nobody else copies meanwhile.
    void acquire_alone() const noexcept
    {
        if (references_.load(std::memory_order_acquire) == 1)
            references_.store(2, std::memory_order_relaxed);
        else
            acquire();
    }
    /// By the holder of two references that nobody else copies meanwhile: of one of them.
    void release_one_of_two() const noexcept
    {
        if (references_.load(std::memory_order_acquire) == 2)
            references_.store(1, std::memory_order_relaxed);
        else
            references_.fetch_sub(1, std::memory_order_release);
    }
    void release() const noexcept
    {
        if (references_.load(std::memory_order_acquire) == 1 ||
            references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            destroy();
    }

    /// Memory taken, for the byte bounds.
    std::size_t size() const noexcept { return size_; }
    activity_fields const& fields() const noexcept { return fields_; }

private:
    activity_record(activity_fields const&, std::size_t size) noexcept;
    ~activity_record() = default;
    void destroy() const noexcept;

    // What each subscriber touches of an event comes first, on one line of the cache.
    std::size_t size_;
    mutable std::atomic<std::uint32_t> references_{1};
    activity_fields fields_; // its views point behind this object
};

/// Of an empty activity, none.
inline activity_fields const& fields_of(activity_record const* record) noexcept
{
    static constexpr activity_fields none;
    return record ? record->fields() : none;
}

/// The library's own way into a handle.
struct activity_access {
    static activity make(activity_fields const& fields) { return activity(activity_record::make(fields)); }
    /// Another handle to the same record, from one that only its owner copies (`activity_record::acquire_alone`).
    static activity share(activity const& own) noexcept
    {
        own.record_->acquire_alone();
        return activity(own.record_);
    }
    /// Empties a handle where `other`, which has the same owner and stays, is to the same record.
    static void drop_beside(activity& own, activity const& other) noexcept
    {
        if (own.record_ && own.record_ == other.record_)
            std::exchange(own.record_, nullptr)->release_one_of_two();
    }
    /// Null for an empty activity.
    static activity_record const* record(activity const& a) noexcept { return a.record_; }
};

} // namespace plex::detail
