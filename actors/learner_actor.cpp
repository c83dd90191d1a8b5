#include "actors/learner_actor.hpp"

#include <memory>
#include <utility>

#include <nlohmann/json.hpp>

#include <caf/send.hpp>

#include "actors/boot_clock.hpp"

namespace paxtor::actors {

learner_actor::learner_actor(caf::actor_config& cfg, role_setup setup, paxos::timing times,
                             paxos::limits bounds)
    : role_actor(cfg, setup), times_(times), bounds_(bounds), ends_(setup.node_name) {}

bool learner_actor::is_little_work(const caf::type_erased_tuple& what) const {
  // Votes for what this voter, the leader, has proposed. A follower may have much to apply, or a
  // snapshot to install, and nobody waits for it.
  return works_inline_
         && (is_small_frame(what) || what.match_elements<own_message>()
             || what.match_elements<keeper_news>());
}

void learner_actor::start(const role_start& begin) {
  role_.emplace(setup().self, *begin.state, begin.voters, times_, bounds_, boot_now());
  role_->ask_of(known_voters_.ids);
}

void learner_actor::step(voter_id from, const paxos::message& what) {
  role_->step(boot_now(), from, what);
}

void learner_actor::persisted(write_id upto) {
  role_->persisted(upto);
}

void learner_actor::on_news(const keeper_news& news) {
  // The order in which the proposer's actor says them: leadership, then what was asked under it.
  if (news.leading) {
    leads_ = *news.leading;
    ends_.lead(*news.leading ? news.at : ballot{});
    registrar_.lead(*news.leading);
  }
  for (const auto& note : news.watermarks)
    registrar_.sync(note);
  for (const auto& question : news.reads)
    registrar_.read(question);
}

void learner_actor::on_news(const known_voters& news) {
  known_voters_ = news;
  if (role_)
    role_->ask_of(news.ids);
}

void learner_actor::tell_log() {
  const auto stored = role_->stored_upto();
  if (told_.stored_upto == stored && told_.voters.since == role_->voters_since()
      && told_.voters.known())
    return;
  told_ = {{role_->voters_since(), role_->voters()}, stored};
  caf::anon_send(others().proposer, told_);
  caf::anon_send(others().supervisor, told_);
}

void learner_actor::on_news(const snapshot_image& made) {
  ++snapshots_;
  role_->snapshot_made(made.upto, made.image);
}

void learner_actor::tick() {
  if (started())
    role_->tick(boot_now());
}

void learner_actor::flush() {
  while (pump_role())
    pump_registrar();
  pump_registrar();
  tell_log();
  works_inline_ = leads_ && !role_->snapshot_near();
}

bool learner_actor::pump_role() {
  auto out = role_->take_output();
  auto busy = !out.writes.empty() || out.install || !out.decided.empty() || out.want_snapshot;
  // First: whoever hears of a decision finds the proposer told.
  send_out(std::move(out.send));
  write(std::move(out.writes));
  if (out.install)
    registrar_.install(*out.install);
  registrar_.apply(out.decided);
  if (const auto where = registrar_.unreadable())
    net::die("the log of node " + setup().node_name,
             "entry " + to_string(*where)
               + " was written by a newer version of paxtor; run that version on this node");
  // L4: made beside this thread; at a million locks it takes seconds.
  if (out.want_snapshot)
    send(others().snapshots, snapshot_order{std::make_shared<const paxos::snapshot_task>(
                               std::move(*out.want_snapshot))});
  return busy;
}

void learner_actor::pump_registrar() {
  auto out = registrar_.take_output();
  // Notes before answers leave: a node that hears of its session finds it known to the keeper.
  for (const auto& note : out.notes)
    ends_.tell(note.events);
  if (!out.notes.empty())
    caf::anon_send(others().proposer, applied_news{std::move(out.notes)});
  for (auto& one : out.send)
    send_to_node(one.node, std::move(one.what));
}

std::string learner_actor::status() const {
  nlohmann::json result;
  result["dropped_frames"] = dropped();
  result["dropped"] = registrar_.dropped() + (role_ ? role_->dropped() : 0);
  result["snapshots"] = snapshots_;
  if (role_) {
    result["decided_upto"] = role_->decided_upto().value;
    result["last_index"] = role_->last_index().value;
    result["log_first"] = role_->log_first().value;
    result["log_length"] = role_->decided_upto().value + 1 - role_->log_first().value;
    result["voters"] = nlohmann::json::array();
    for (const auto& who : role_->voters().members)
      result["voters"].push_back({{"name", who.name}, {"id", who.id.value}});
  }
  return result.dump();
}

} // namespace paxtor::actors
