#include "actors/proposer_actor.hpp"

#include <iterator>
#include <utility>

#include <nlohmann/json.hpp>

#include <caf/send.hpp>

#include "actors/boot_clock.hpp"
#include "libpaxtor/base/codec.hpp"

namespace paxtor::actors {

proposer_actor::proposer_actor(caf::actor_config& cfg, role_setup setup, paxos::timing times,
                               paxos::limits bounds, cluster::lease_options leases,
                               std::uint64_t seed)
    : role_actor(cfg, setup),
      times_(times),
      bounds_(bounds),
      random_(seed),
      keeper_(setup.self, leases),
      steward_(setup.self, times) {}

void proposer_actor::start(const role_start& begin) {
  role_.emplace(setup().self, begin.voters_now, begin.decided_upto, begin.state->promised, times_,
                bounds_, random_.fork(), boot_now());
  role_->reign_in_force(boot_now(), keeper_.reign());
}

void proposer_actor::step(voter_id from, const paxos::message& what) {
  role_->step(boot_now(), from, what);
}

void proposer_actor::persisted(write_id) {
  drop("a write that is not the proposer's");
}

void proposer_actor::on_node(const cluster::node_frame& from) {
  setup().book->note_route(from.from, from.relayed_by);
  const auto& state = role_->state();
  // Sessions: "through any voter, if it cannot reach the leader"; at most once. The node is told of
  // the leader all the same (by the keeper), so that it goes direct from now on if it can.
  if (!state.leading && state.leader.valid() && state.leader != setup().self
      && !from.relayed_by.valid()) {
    auto passed_on = from;
    passed_on.relayed_by = setup().self;
    setup().book->to_voter(state.leader, paxos::role::proposer,
                           net::peers::wrap(cluster::encode_frame(
                             std::move(passed_on), setup().book->version_for(state.leader))));
    ++relayed_;
  }
  if (const auto* change = std::get_if<cluster::change_voters>(&from.what))
    steward_.step(boot_now(), from.from, *change);
  else if (const auto* report = std::get_if<cluster::voter_report>(&from.what))
    steward_.step(boot_now(), *report);
  else
    keeper_.step(boot_now(), from.from, from.what);
}

void proposer_actor::on_news(const log_news& news) {
  stored_upto_ = news.stored_upto;
  steward_.voters_are(news.voters.since, news.voters.voters);
}

void proposer_actor::on_news(const known_voters& news) {
  steward_.ask_of(news.ids);
}

void proposer_actor::on_news(const applied_news& news) {
  for (const auto& note : news.notes)
    keeper_.applied(boot_now(), note);
  if (role_)
    role_->reign_in_force(boot_now(), keeper_.reign());
}

void proposer_actor::tick() {
  if (!started())
    return;
  auto now = boot_now();
  role_->tick(now);
  // What the log did in this tick (a leader that steps down) comes before what silence tells.
  flush();
  keeper_.tick(now);
  const auto self = setup().book->self();
  steward_.introduce(setup().node_name, self.hello.endpoint);
  steward_.tick(now);
}

void proposer_actor::flush() {
  keeper_news news;
  for (bool busy = true; busy;) {
    busy = pump_role(news);
    busy = pump_keeper(news) || busy;
    busy = pump_steward() || busy;
  }
  tell_learner(news);
}

void proposer_actor::tell_learner(keeper_news& news) {
  if (news.leading || !news.watermarks.empty() || !news.reads.empty())
    caf::anon_send(others().learner, std::exchange(news, {}));
}

bool proposer_actor::pump_role(keeper_news& news) {
  auto out = role_->take_output();
  auto busy = out.changed.has_value() || !out.confirmations.empty();
  // Leadership first: what is proposed, decided or confirmed in the same turn belongs to the new
  // state, and a learner that does not know that it sits beside the leader answers nobody.
  if (out.changed) {
    tell_learner(news);
    news.leading = out.changed->leading;
    news.at = out.changed->at;
    tell_learner(news);
    keeper_.leadership_changed(boot_now(), *out.changed);
    steward_.leadership_changed(boot_now(), *out.changed);
  }
  send_out(std::move(out.send));
  for (const auto& done : out.confirmations)
    keeper_.confirmed(boot_now(), done);
  return busy;
}

bool proposer_actor::pump_keeper(keeper_news& news) {
  keeper_.log_is_idle(role_->idle());
  auto out = keeper_.take_output();
  for (auto& proposal : out.proposals)
    if (!role_->propose({paxos::entry_kind::command, proposal.command})) {
      ++refused_;
      keeper_.refused(proposal);
    }
  for (auto id : out.confirms)
    if (role_->state().leading)
      role_->confirm(boot_now(), id);
  news.watermarks.insert(news.watermarks.end(), std::make_move_iterator(out.watermarks.begin()),
                         std::make_move_iterator(out.watermarks.end()));
  news.reads.insert(news.reads.end(), std::make_move_iterator(out.reads.begin()),
                    std::make_move_iterator(out.reads.end()));
  for (auto& answer : out.send)
    send_to_node(answer.node, std::move(answer.what));
  return !out.proposals.empty() || !out.confirms.empty();
}

bool proposer_actor::pump_steward() {
  steward_.progress(role_->decided_upto(), stored_upto_, role_->settled());
  auto out = steward_.take_output();
  if (out.proposal && !role_->propose({paxos::entry_kind::configure, encode(*out.proposal)})) {
    ++refused_;
    steward_.refused();
  }
  for (auto& answer : out.send)
    send_to_node(answer.node, std::move(answer.what));
  if (!out.reports.empty()) {
    const auto self = setup().book->self().hello.node;
    for (auto& report : out.reports) {
      cluster::node_frame frame{cluster(), self, voter_id{}, std::move(report.what)};
      setup().book->to_voter(report.voter, paxos::role::proposer,
                             net::peers::wrap(cluster::encode_frame(
                               std::move(frame), setup().book->version_for(report.voter))));
    }
  }
  return out.proposal.has_value();
}

std::string proposer_actor::status() const {
  nlohmann::json result;
  result["dropped_frames"] = dropped();
  result["relayed"] = relayed_;
  result["refused"] = refused_;
  if (role_) {
    const auto& state = role_->state();
    result["leading"] = state.leading;
    result["leader"] = state.leader.value;
    result["ballot"] = to_string(state.at);
    result["decided_upto"] = role_->decided_upto().value;
    result["dropped"] = role_->dropped();
  }
  return result.dump();
}

} // namespace paxtor::actors
