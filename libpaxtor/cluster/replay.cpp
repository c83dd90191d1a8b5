#include "libpaxtor/cluster/replay.hpp"

#include <vector>

#include "libpaxtor/base/check.hpp"
#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/paxos/batches.hpp"

namespace paxtor::cluster {

namespace {

/// Entries between two looks at whether to go on.
constexpr std::uint64_t look_every = 1024;

} // namespace

bool apply_entry(registry::machine& state, const paxos::decided_entry& entry,
                 registry::outcome& result) {
  switch (entry.what.kind) {
    case paxos::entry_kind::noop:
    case paxos::entry_kind::configure:
      return true;
    case paxos::entry_kind::reign: {
      ballot at;
      if (!decode(entry.what.data, at))
        return false;
      state.begin_reign(entry.at, at, result);
      return true;
    }
    case paxos::entry_kind::command: {
      registry::command what;
      if (!decode(entry.what.data, what))
        return false;
      state.apply(entry.at, what, result);
      return true;
    }
  }
  return false; // A kind that this version does not know.
}

replay::replay(const std::optional<paxos::write_snapshot>& base) {
  if (!base)
    return;
  const bool readable = state_.restore(base->image);
  PAXTOR_CHECK("I22", readable);
  upto_ = base->upto;
  last_ = base->last;
}

void replay::apply(const paxos::batch& value) {
  upto_ = upto_.next();
  std::vector<paxos::entry> entries;
  // As the learner does it: decided garbage is empty on every replica alike.
  if (!paxos::entries_of(value, entries))
    return;
  registry::outcome nobody_waits;
  for (auto& what : entries) {
    last_ = last_.next();
    if (!apply_entry(state_, {last_, upto_, std::move(what)}, nobody_waits) && !unreadable_)
      unreadable_ = last_;
  }
}

std::optional<blob> make_image(const paxos::snapshot_task& task,
                               const std::function<bool()>& go_on) {
  const auto stop = [&go_on] { return go_on && !go_on(); };
  replay work{task.base};
  auto looked_at = work.last();
  for (const auto& value : task.since) {
    work.apply(value);
    if (work.last().value - looked_at.value < look_every)
      continue;
    looked_at = work.last();
    if (stop())
      return std::nullopt;
  }
  PAXTOR_CHECK("I50", work.upto() == task.upto && work.last() == task.last);
  if (stop())
    return std::nullopt;
  return work.state().image();
}

} // namespace paxtor::cluster
