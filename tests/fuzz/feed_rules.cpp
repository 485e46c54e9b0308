// Input: what happens, two bytes a choice: a server's activities, its list, the network, subscribers, an operation
// (unit/model_schedule.hpp). All that the server says goes over an in-memory stream.

#include "byte_carrier.hpp"
#include "fuzz.hpp"
#include "unit/model_schedule.hpp"

namespace plex::fuzz {

void run(std::string_view input)
{
    tally met;
    byte_carrier by(input);
    schedule s({reinterpret_cast<std::uint8_t const*>(input.data()), input.size()}, by);
    try {
        s.run(met);
    } catch (broken_rule const& broken) {
        promise(false, broken.what() + s.story());
    }
}

} // namespace plex::fuzz
