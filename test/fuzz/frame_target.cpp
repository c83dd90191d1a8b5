// Frames as they come from a link: any bytes give a frame or an error, and a frame that was read is
// written and read again as the same.

#include "libpaxtor/cluster/frame.hpp"
#include "test/fuzz/fuzz.hpp"

namespace paxtor::fuzz {

namespace {

/// What decodes as `T` must encode to something that decodes to the same.
template <class T>
bool round_trip(std::string_view bytes) {
  T first;
  if (!decode(bytes, first))
    return false;
  const auto written = encode(first);
  T second;
  fuzz::require(decode(written, second), "what was decoded, encoded again, can be decoded");
  fuzz::require(encode(second) == written, "what is decoded twice is the same");
  return true;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  cluster::frame what;
  if (cluster::decode_frame(bytes, what) == cluster::frame_error::none) {
    ++fuzz::taken;
    const auto written = cluster::encode_frame(what);
    cluster::frame again;
    fuzz::require(cluster::decode_frame(written, again) == cluster::frame_error::none,
                  "a frame that was read can be read again");
    fuzz::require(cluster::encode_frame(again) == written, "a frame read twice is the same");
  }
  // What frames carry as bytes, and logs keep.
  if (round_trip<registry::command>(bytes) || round_trip<std::vector<paxos::entry>>(bytes)
      || round_trip<paxos::configuration>(bytes))
    ++fuzz::taken;
  return 0;
}

} // namespace paxtor::fuzz
