#include "libpaxtor/cluster/registrar.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "libpaxtor/base/check.hpp"
#include "libpaxtor/cluster/replay.hpp"
#include "libpaxtor/cluster/sync_parts.hpp"

namespace paxtor::cluster {

namespace {

/// About how many bytes an answer takes on the wire.
std::size_t weight(const registry::answer& what) {
  std::size_t result = 64 + what.value.size() + what.detail.size();
  for (auto& where : what.where)
    result += 64 + where.name.text().size() + where.node_name.size() + where.endpoint.size()
              + where.type.size();
  return result;
}

} // namespace

registrar::registrar(std::size_t effect_bytes) : effect_bytes_(effect_bytes) {}

void registrar::lead(bool leading) {
  // Nothing is sent again here: the agents' renewals carry their watermarks (R4), and they send
  // their unanswered commands again when they learn of the new leader (R1).
  leading_ = leading;
}

void registrar::install(const paxos::write_snapshot& snapshot) {
  auto before = machine_.open_sessions();
  auto reign_before = machine_.reign();
  bool readable = machine_.restore(snapshot.image);
  PAXTOR_CHECK("I22", readable);
  note_progress(snapshot.upto, snapshot.last);
  // The lease keeper learns of sessions by events alone, so a jump in the log is told as events.
  auto& events = out_.notes.front().events;
  auto after = machine_.open_sessions();
  auto holds = [](const auto& list, session_id id) {
    return std::any_of(list.begin(), list.end(), [id](const auto& x) { return x.session == id; });
  };
  for (auto& x : before)
    if (!holds(after, x.session))
      // How it ended was in entries that were never seen here: only that it did is known.
      events.push_back(registry::session_closed{x.session, x.node, registry::end_reason::left,
                                                x.name, "before a snapshot", 0, 0, 0, 0});
  for (auto& x : after)
    if (!holds(before, x.session))
      events.push_back(x);
  if (machine_.reign() != reign_before)
    events.push_back(registry::reign_began{machine_.reign()});
  answer_reads();
}

void registrar::apply(const std::vector<paxos::decided_entry>& entries) {
  if (entries.empty())
    return;
  registry::outcome result;
  for (auto& entry : entries)
    if (!apply_entry(machine_, entry, result))
      cannot_read(entry);
  note_progress(entries.back().where, entries.back().at);
  gather(std::move(result));
  answer_reads();
}

void registrar::cannot_read(const paxos::decided_entry& entry) {
  ++dropped_;
  if (!unreadable_)
    unreadable_ = entry.at;
}

void registrar::gather(registry::outcome&& result) {
  auto& events = out_.notes.front().events;
  events.insert(events.end(), std::make_move_iterator(result.events.begin()),
                std::make_move_iterator(result.events.end()));
  if (!leading_)
    return;
  for (auto& x : result.answers)
    // To a session that has ended there is no node; it learns that from its renewal.
    if (x.node.valid())
      answers_[{x.node, x.session}].push_back(std::move(x.what));
  for (auto& x : result.effects) {
    auto node = x.node;
    if (weight(x) > effect_bytes_) {
      // One entry can grant very many at once (S5). A sync says all of them too, in parts.
      send_sync(x.session, x.previous);
      continue;
    }
    out_.send.push_back({node, std::move(x)});
  }
}

void registrar::note_progress(slot upto, index last) {
  applied_ = std::max(applied_, upto);
  last_ = std::max(last_, last);
  if (out_.notes.empty())
    out_.notes.emplace_back();
  out_.notes.front().upto = applied_;
  out_.notes.front().last = last_;
  out_.notes.front().waiting = machine_.waiting();
}

void registrar::read(ready_read what) {
  if (what.upto <= applied_)
    answer(what);
  else if (reads_.size() < max_reads_waiting)
    reads_.emplace(what.upto, std::move(what));
  else
    ++dropped_;
}

void registrar::answer_reads() {
  auto end = reads_.upper_bound(applied_);
  for (auto i = reads_.begin(); i != end; ++i)
    answer(i->second);
  reads_.erase(reads_.begin(), end);
}

void registrar::answer(const ready_read& what) {
  out_.send.push_back({what.node, read_answer{what.id, machine_.ask(what.what, what.silent)}});
}

void registrar::sync(const watermark_note& note) {
#ifdef PAXTOR_CANARY_NOTHING_SENT_AGAIN
  return;
#endif
  if (!leading_ || machine_.last_effect(note.session) <= note.watermark)
    return;
  send_sync(note.session, note.watermark);
}

void registrar::send_sync(session_id session, index watermark) {
  auto effects = machine_.sync(session, watermark);
  if (!effects)
    return;
  for (auto& part : split(std::move(*effects), last_, effect_bytes_)) {
    auto node = part.node;
    out_.send.push_back({node, std::move(part)});
  }
}

blob registrar::image() const {
  return machine_.image();
}

registrar_output registrar::take_output() {
  std::vector<to_node> send;
  for (auto& [key, items] : answers_) {
    answers batch{key.second, {}};
    std::size_t bytes = 0;
    for (auto& item : items) {
      bytes += weight(item);
      if (bytes > max_answer_bytes && !batch.items.empty()) {
        send.push_back({key.first, std::exchange(batch, answers{key.second, {}})});
        bytes = weight(item);
      }
      batch.items.push_back(std::move(item));
    }
    send.push_back({key.first, std::move(batch)});
  }
  answers_.clear();
  // Answers first: `queued` before the grant that follows it.
  send.insert(send.end(), std::make_move_iterator(out_.send.begin()),
              std::make_move_iterator(out_.send.end()));
  out_.send.clear();
  registrar_output result{std::move(send), std::move(out_.notes)};
  out_.notes.clear();
  return result;
}

const registry::machine& registrar::machine() const {
  return machine_;
}

} // namespace paxtor::cluster
