#pragma once

// Catch2 3 has one header a feature and no <catch2/catch.hpp>; version 2 has nothing else.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
