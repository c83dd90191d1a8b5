#include "actors/supervisor_actor.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <nlohmann/json.hpp>

#include <caf/send.hpp>

#include "actors/boot_clock.hpp"
#include "actors/voter_actor.hpp"
#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/paxos/learner.hpp"
#include "net/caf_compat.hpp"
#include "net/hub.hpp"

namespace paxtor::actors {

namespace {

/// Reports are repeated this often until all initial voters are known to be formed: messages may be
/// lost.
constexpr std::chrono::milliseconds report_every{200};

using phase = paxos::formation::phase;

const char* to_text(phase what) {
  switch (what) {
    case phase::gathering:
      return "gathering";
    case phase::pledged:
      return "pledged";
    case phase::formed:
      return "formed";
    case phase::outsider:
      return "outsider";
  }
  return "?";
}

} // namespace

supervisor_actor::supervisor_actor(caf::actor_config& cfg, setup given)
    : caf::event_based_actor(cfg),
      setup_(std::move(given)),
      formation_(setup_.name, setup_.initial_names, *setup_.state, setup_.addresses) {}

void supervisor_actor::on_exit() {
  setup_.roles = {};
  setup_.book = nullptr;
  setup_.listener = nullptr;
}

caf::behavior supervisor_actor::make_behavior() {
  set_exception_handler(
    [](std::exception_ptr& problem) -> caf::error { net::die("paxtor.voter", problem); });
  set_default_handler([](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
    return caf::sec::unexpected_message;
  });
  set_error_handler([](caf::error&) {});
  setup_.roles.supervisor = caf::actor{this};
  for (const auto& role : {setup_.roles.acceptor, setup_.roles.proposer, setup_.roles.learner})
    send(role, meet_atom::value, setup_.roles);
  follow_up();
  arm();
  return {
    [this](net::link_up_atom, const std::string& bytes) { on_link(bytes, true); },
    [this](net::link_down_atom, const std::string& bytes) { on_link(bytes, false); },
    [this](net::formation_atom, const std::string& bytes) { on_report(bytes); },
    [this](heard_atom, std::uint64_t id) {
      formation_.heard_paxos(cluster_id{id});
      follow_up();
    },
    [this](net::voters_atom, const std::string& bytes) { on_voters(bytes); },
    [this](const log_news& news) { on_log(news); },
    [this](const written& done) {
      formation_.persisted(done.upto);
      follow_up();
    },
    [this](tick_atom) {
      tell_all(false);
      arm();
    },
    [this](net::status_atom) { answer_status(); },
    [this](net::stop_atom) {
      stop_roles();
      quit();
    },
  };
}

void supervisor_actor::arm() {
  // L5: until everybody is known to be formed, somebody may have missed a report.
  if (outside_ || formed_names_.size() + 1 >= setup_.initial_names.size())
    if (started_ || outside_)
      return;
  delayed_send(this, report_every, tick_atom::value);
}

void supervisor_actor::on_link(const std::string& bytes, bool up) {
  cluster::frame decoded;
  if (cluster::decode_frame(bytes, decoded) != cluster::frame_error::none)
    return;
  auto hello = std::get_if<cluster::hello_frame>(&decoded);
  if (hello == nullptr)
    return;
  if (hello->node == setup_.book->self().hello.node) {
    // The hub runs now: it may not know yet what the store knew.
    tell_hub();
    return;
  }
  // Standbys too: they wait for somebody to tell them of the cluster.
  if (!hello->voter.valid())
    return;
  if (!up) {
    linked_.erase(hello->node);
    return;
  }
  linked_[hello->node] = hello->node_name;
  tell(hello->node);
}

void supervisor_actor::on_report(const std::string& bytes) {
  cluster::frame decoded;
  auto ok = cluster::decode_frame(bytes, decoded) == cluster::frame_error::none;
  auto told = std::get_if<cluster::formation_frame>(&decoded);
  if (!ok || told == nullptr) {
    dropped_.log(net::level::warn, "a formation report that cannot be read was dropped");
    return;
  }
  const auto& report = told->report;
  if (report.formed)
    formed_names_.insert(report.name);
  formation_.step(report);
  follow_up();
  // Whoever is not formed and hears nobody else would wait for the next round.
  if (started_ && !report.formed)
    for (const auto& [node, name] : linked_)
      if (name == report.name)
        tell(node);
}

void supervisor_actor::on_log(const log_news& news) {
  if (!news.voters.newer_than(voters_) || outside_)
    return;
  const auto self = setup_.state->self;
  const bool first = !voters_.known();
  const bool voted = voters_.voters.contains(self);
  const bool votes = news.voters.voters.contains(self);
  voters_ = news.voters;
  auto names = names_of(voters_.voters);
  // A value of a log line has no spaces.
  std::erase(names, ' ');
  if (votes != voted || first)
    net::log(net::level::info,
             std::string{votes   ? "this node is a voter"
                         : first ? "this node follows the log as a standby"
                                 : "this node votes no more: it goes on as a standby"}
               + " voters=" + names + " slot=" + to_string(voters_.since) + " node=" + setup_.name);
  else
    net::log(net::level::info, "the voters have changed voters=" + names
                                 + " slot=" + to_string(voters_.since) + " node=" + setup_.name);
  tell_hub();
}

void supervisor_actor::on_voters(const std::string& bytes) {
  cluster::voters_now news;
  if (!decode(bytes, news))
    return;
  known_voters known;
  for (const auto& who : news.voters.members)
    known.ids.push_back(who.id);
  for (const auto& role : {setup_.roles.learner, setup_.roles.proposer})
    if (role)
      send(role, known);
  formation_.heard_voters(news.voters);
  follow_up();
}

void supervisor_actor::follow_up() {
  persist();
  auto now = formation_.state();
  if (now != last_phase_) {
    last_phase_ = now;
    net::log(net::level::info, std::string{"voter is "} + to_text(now) + " node=" + setup_.name);
  }
  switch (now) {
    case phase::gathering:
    case phase::pledged:
      break;
    case phase::formed:
      form();
      break;
    case phase::outsider:
      stand_outside();
      break;
  }
  tell_all(true);
}

void supervisor_actor::persist() {
  // In place: `persisted` may want more written.
  for (auto writes = formation_.take_writes(); !writes.empty(); writes = formation_.take_writes()) {
    auto last = writes.back().id;
    if (!setup_.store->in_place()) {
      send(setup_.roles.storage, write_order{std::move(writes), nullptr});
      continue;
    }
    auto outcome = setup_.store->append(writes);
    if (!outcome.ok())
      net::die("the store of node " + setup_.name, outcome.why);
    formation_.persisted(last);
  }
}

void supervisor_actor::tell(node_id node) {
  if (outside_)
    return;
  if (auto who = setup_.book->find(node); who && who->boxes.hub)
    who->boxes.hub->enqueue(
      nullptr, caf::make_message_id(),
      net::peers::wrap(cluster::encode_frame(cluster::formation_frame{formation_.report()},
                                             cluster::version_for(who->hello.versions))),
      nullptr);
}

void supervisor_actor::tell_all(bool if_changed) {
  auto report = encode(formation_.report());
  if (if_changed && report == last_report_)
    return;
  last_report_ = std::move(report);
  for (const auto& [node, name] : linked_)
    tell(node);
}

void supervisor_actor::form() {
  if (started_)
    return;
  started_ = true;
  role_start begin;
  begin.cluster = formation_.cluster();
  begin.state = setup_.state;
  begin.voters = formation_.voters();
  // What the learner will begin with: the proposer must not propose below a snapshot that was
  // recovered.
  paxos::learner probe{setup_.state->self, *setup_.state, begin.voters,
                       setup_.times,       setup_.bounds, boot_now()};
  begin.voters_now = probe.voters();
  begin.decided_upto = probe.decided_upto();
  // The learner first, then the acceptor, then who makes them work.
  send(setup_.roles.learner, begin);
  send(setup_.roles.acceptor, begin);
  send(setup_.roles.proposer, begin);
  // The roles have what they need of it, and an image is large.
  paxos::recovered only_who;
  only_who.self = setup_.state->self;
  setup_.state = std::make_shared<const paxos::recovered>(std::move(only_who));
  tell_hub();
  if (setup_.listener)
    send(setup_.listener, formed_atom::value, begin.cluster.value, encode(begin.voters));
}

void supervisor_actor::stand_outside() {
  if (outside_)
    return;
  outside_ = true;
  auto why =
    "the cluster (voters " + names_of(formation_.voters())
    + ") counts on this store, which is blank: it has lost "
      "what it promised, and never votes (a voter that forgot must not make decided values "
      "vanish); the node goes on as a client node. Start it with a new data directory, and "
      "it becomes a new voter in its old place";
  net::log(net::level::warn, why);
  stop_roles();
  tell_hub();
  if (setup_.listener)
    send(setup_.listener, net::outsider_atom::value, why);
}

void supervisor_actor::tell_hub() {
  auto hub = setup_.book->self().boxes.hub;
  if (!hub)
    return;
  auto to = caf::actor_cast<caf::actor>(hub);
  if (outside_)
    send(to, net::outsider_atom::value);
  if (started_)
    send(to, net::cluster_is_atom::value, formation_.cluster().value);
  if (voters_.known() && !outside_)
    send(to, net::voters_atom::value, encode(voters_));
}

void supervisor_actor::stop_roles() {
  auto& roles = setup_.roles;
  for (auto role :
       {&roles.proposer, &roles.acceptor, &roles.learner, &roles.storage, &roles.snapshots}) {
    if (*role)
      send(*role, net::stop_atom::value);
    *role = nullptr;
  }
}

void supervisor_actor::answer_status() {
  // Gathers one text from each role, and answers when all are there.
  struct gathering {
    nlohmann::json text;
    std::size_t missing = 3;
  };
  auto all = std::make_shared<gathering>();
  auto& out = all->text;
  out["name"] = setup_.name;
  out["voter"] = setup_.state->self.value;
  out["phase"] = to_text(formation_.state());
  out["cluster"] = formation_.cluster().value;
  out["store"] = setup_.store->describe();
  out["waiting_for"] = formation_.waiting_for();
  out["dropped_reports"] = formation_.dropped() + dropped_.count();
  auto promise = make_response_promise<std::string>();
  const auto& roles = setup_.roles;
  for (const auto& [role, name] : {std::pair{roles.acceptor, "acceptor"},
                                   {roles.proposer, "proposer"},
                                   {roles.learner, "learner"}}) {
    auto arrived = [all, promise]() mutable {
      if (--all->missing == 0)
        promise.deliver(all->text.dump());
    };
    if (!role) {
      arrived();
      continue;
    }
    request(role, std::chrono::seconds{1}, net::status_atom::value)
      .then(
        [all, arrived, key = std::string{name}](const std::string& text) mutable {
          all->text[key] = nlohmann::json::parse(text, nullptr, false);
          arrived();
        },
        [arrived](const caf::error&) mutable { arrived(); });
  }
}

} // namespace paxtor::actors
