#pragma once

#include <string_view>

// The files of page/, compiled in (embed.cmake).
namespace plex::dashboard::page {

std::string_view index_html() noexcept;
std::string_view dashboard_css() noexcept;
std::string_view dashboard_js() noexcept;
std::string_view icon_svg() noexcept;

} // namespace plex::dashboard::page
