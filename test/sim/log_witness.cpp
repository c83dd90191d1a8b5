#include "test/sim/log_witness.hpp"

#include <string>
#include <vector>

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/cluster/replay.hpp"
#include "libpaxtor/paxos/batches.hpp"
#include "test/sim/journal.hpp"

namespace paxtor::sim {

namespace {

/// Who compares images that is no voter.
constexpr voter_id nobody{};

std::uint64_t draw_of(index at) {
  digest pick;
  pick.mix(at.value);
  return pick.value();
}

} // namespace

verdict log_witness::follow() {
  while (upto_ < log_.chosen_upto()) {
    upto_ = upto_.next();
    std::vector<paxos::entry> entries;
    // As learners do: garbage is empty everywhere.
    if (!paxos::entries_of(log_.chosen(upto_)->value, entries))
      continue;
    for (const auto& what : entries)
      if (auto bad = apply(what))
        return bad;
    if (auto bad = look())
      return bad;
  }
  return {};
}

verdict log_witness::apply(const paxos::entry& what) {
  last_ = last_.next();
  registry::outcome result;
  if (!cluster::apply_entry(state_, {last_, upto_, what}, result))
    return {};
  if (what.kind == paxos::entry_kind::reign) {
    if (ballot by; decode(what.data, by))
      judged_.began_reign(by);
    return {};
  }
  registry::command done;
  if (what.kind != paxos::entry_kind::command || !decode(what.data, done))
    return {};
  if (auto bad = judged_.applied(last_, done, result))
    return bad;
  // R7; now and then, since it costs more than the entry.
  if (const auto& key = judged_.last_key(); !key.empty() && draw_of(last_) % 4 == 1)
    return judged_.looks_at(state_, key);
  return {};
}

verdict log_witness::look() {
  const auto draw = draw_of(last_);
  if (draw % 8 == 2)
    if (auto bad = judged_.looks(state_))
      return bad;
  if (!picked_for_images(last_))
    return {};
  const auto image = state_.image();
  if (draw % 32 == 0) {
    state_.check_all();
    registry::machine copy;
    // L4: what is written is read again, and is the same.
    if (!copy.restore(image) || copy.image() != image)
      return wrong("image",
                   "the image after index " + to_string(last_) + " does not come back as it was");
  }
  return log_.image(nobody, last_, digest_of(image.view()));
}

bool picked_for_images(index at) {
  return draw_of(at) % 8 == 0;
}

} // namespace paxtor::sim
