#pragma once

/// @file
/// The version of this library (semver.org); CMake, packages and the command take it from here. Before 1.0 a new minor
/// version may change the interface.

/// The first of its numbers.
#define PLEX_VERSION_MAJOR 0
/// The second.
#define PLEX_VERSION_MINOR 1
/// The third.
#define PLEX_VERSION_PATCH 0
