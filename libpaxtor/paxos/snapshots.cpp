#include "libpaxtor/paxos/snapshots.hpp"

#include <utility>

#include "libpaxtor/paxos/bounds.hpp"

namespace paxtor::paxos {

void snapshot_source::publish(write_snapshot image) {
  if (newest_ && image.upto <= newest_->upto)
    return;
  older_ = std::exchange(newest_, std::move(image));
}

std::optional<snapshot_chunk> snapshot_source::chunk(time_point now, const learn_snapshot& asked,
                                                     std::size_t chunk_bytes) {
  const auto* image = newest_ ? &*newest_ : nullptr;
  auto offset = asked.offset;
  if (older_ && older_->upto == asked.upto) {
    image = &*older_;
    older_asked_at_ = now;
  } else if (image != nullptr && image->upto != asked.upto) {
    offset = 0;
  }
  if (image == nullptr || offset > image->image.size()
      || (offset == image->image.size() && offset != 0))
    return std::nullopt;
  auto bytes = image->image.view().substr(offset, chunk_bytes);
  return snapshot_chunk{image->upto,         image->last,
                        image->voters,       offset,
                        image->image.size(), blob{std::string{bytes}},
                        image->voters_since};
}

void snapshot_source::tick(time_point now, duration patience) {
  if (!older_)
    return;
  if (older_asked_at_ == time_point{})
    older_asked_at_ = now;
  if (now - older_asked_at_ > patience) {
    older_.reset();
    older_asked_at_ = time_point{};
  }
}

snapshot_sink::snapshot_sink(voter_id source, const snapshot_chunk& first)
    : source_(source),
      upto_(first.upto),
      last_(first.last),
      voters_(first.voters),
      voters_since_(first.voters_since),
      total_(first.total) {}

bool snapshot_sink::acceptable(const snapshot_chunk& part) {
  return part.upto.valid() && part.total <= max_snapshot_bytes && part.offset <= part.total
         && part.bytes.size() <= part.total - part.offset && usable(part.voters)
         && part.voters_since <= part.upto && (!part.bytes.empty() || part.total == 0);
}

bool snapshot_sink::matches(voter_id from, const snapshot_chunk& part) const {
  return from == source_ && part.upto == upto_ && part.last == last_ && part.total == total_
         && part.voters == voters_;
}

bool snapshot_sink::add(const snapshot_chunk& part) {
  if (part.offset != image_.size())
    return false;
  image_.append(part.bytes.view());
  lost_ = 0;
  return true;
}

write_snapshot snapshot_sink::take() {
  return {upto_, last_, std::move(voters_), blob{std::move(image_)}, voters_since_};
}

} // namespace paxtor::paxos
