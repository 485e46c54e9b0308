// Input: an event stream.

#include "fuzz.hpp"

#include "protocol/event_stream_framer.hpp"
#include "unit/event_stream_standard.hpp"

#include <memory>

namespace plex::fuzz {
namespace {

using namespace protocol;
using namespace protocol::testing::sse;

class framing
{
public:
    explicit framing(std::size_t limit) : framer_(limit), limit_(limit) {}

    void piece(std::string_view bytes)
    {
        auto const memory = std::make_unique<char[]>(bytes.size() + event_stream_framer::slack);
        std::fill_n(std::copy(bytes.begin(), bytes.end(), memory.get()), event_stream_framer::slack, '\n');
        framer_.feed({memory.get(), bytes.size()});
        for (;;) {
            event_stream_item const item = framer_.next();
            if (item.what == event_stream::need_more)
                break;
            bool const failed = item.what == event_stream::too_big;
            if (!failed || !failed_)
                items.push_back({item.what,
                                 std::string(item.name),
                                 {item.data.begin(), item.data.end()},
                                 std::string(item.id),
                                 item.retry.count()});
            std::fill(item.data.begin(), item.data.end(), '\n'); // ours to change
            failed_ = failed;
            if (failed)
                break;
        }
        // Data, a line, a name and an id, each within the limit; std::vector and std::string double.
        promise(framer_.memory() <= 2 * (4 * limit_ + event_stream_framer::slack) + 100,
                "storage is bounded by the limit");
    }

    trace items;

private:
    event_stream_framer framer_;
    std::size_t limit_;
    bool failed_ = false;
};

} // namespace

void run(std::string_view input)
{
    dice random(input);
    for (std::size_t const limit : {std::size_t{60}, std::size_t{1} << 20}) {
        trace const expected = by_the_standard(std::string(input), limit);
        framing whole(limit);
        whole.piece(input);
        promise(whole.items == expected, "a stream says what the standard says of it");
        for (std::size_t const longest : cuts) {
            framing pieces(limit);
            cut(input, longest, random, [&](std::string_view piece) { pieces.piece(piece); });
            promise(pieces.items == expected, "how a stream is cut makes no difference");
        }
    }
}

} // namespace plex::fuzz
