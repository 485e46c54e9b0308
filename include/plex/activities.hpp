#pragma once

/// @file
/// All of the library but `async.hpp`, `generator.hpp` and `json.hpp`.

#include <plex/activity.hpp>
#include <plex/client.hpp>
#include <plex/config.hpp>
#include <plex/error.hpp>
#include <plex/feed.hpp>
#include <plex/filter.hpp>
#include <plex/operation.hpp>
#include <plex/request.hpp>
#include <plex/version.hpp>
