#include "other_messages.hpp"

#include <array>

namespace plex::bench {
namespace {

std::string container(std::string const& type, std::string const& key, std::string const& member)
{
    return R"({"NotificationContainer":{"type":")" + type + R"(","size":1,")" + key + R"(":[{)" + member + "}]}}";
}

std::string playing(std::string const& number)
{
    return container(
        "playing", "PlaySessionStateNotification",
        R"("sessionKey":"14","clientIdentifier":"8f4mbe5vzrmq0v3tcgmdcz2i","guid":"","ratingKey":")" + number +
            R"(","url":"","key":"/library/metadata/)" + number +
            R"(","viewOffset":1520000,"playQueueItemID":71,"playQueueID":9,"state":"playing","transcodeSession":"3d8w9wrk6fvlqsqgmqjqsd9n")");
}

std::string timeline(std::string const& number)
{
    return container(
        "timeline", "TimelineEntry",
        R"("identifier":"com.plexapp.plugins.library","sectionID":"3","itemID":")" + number +
            R"(","type":4,"title":"Towards the Island \"A Winter Station\"","state":5,"mediaState":"analyzing","metadataState":"created","updatedAt":17326540)" +
            number);
}

std::string progress(std::string const& number)
{
    return container("progress", "ProgressNotification",
                     R"("message":"Scanning /media/shows/The Paper Mountain/Season 04/The Paper Mountain - S04E11 - )" +
                         number + R"( - Letters to Überlingen - Director's Cut.1080p.mkv")");
}

std::string transcode(std::string const& number)
{
    return container(
        "transcodeSession.update", "TranscodeSession",
        R"("key":"/transcode/sessions/3d8w9wrk6fvlqsqgmqjqsd9n","throttled":false,"complete":false,"progress":27.5,"size":-22,"speed":1.600000023841858,"error":false,"duration":2665119,"remaining":1)" +
            number +
            R"(,"context":"streaming","sourceVideoCodec":"hevc","sourceAudioCodec":"eac3","videoDecision":"transcode","audioDecision":"copy","protocol":"dash","container":"mp4","timeStamp":1732654048.11)");
}

} // namespace

std::vector<std::string> other_messages()
{
    static constexpr std::array kinds = {timeline, playing, progress, transcode};
    std::vector<std::string> messages;
    for (std::size_t i = 0; i != others_in_a_block; ++i)
        messages.push_back(kinds[i % kinds.size()](std::to_string(10000 + i)));
    return messages;
}

} // namespace plex::bench
