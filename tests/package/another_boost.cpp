// Linked after it was compiled with headers of another Boost; it uses nothing that the library compiles.
#include <plex/filter.hpp>
#include <plex/transport.hpp>

int main() {}
