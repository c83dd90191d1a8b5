#include "actors/node.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <paxtor/error.hpp>

#include "actors/agent_actor.hpp"
#include "actors/specs.hpp"
#include "libpaxtor/base/digest.hpp"
#include "libpaxtor/storage/memory_store.hpp"
#include "libpaxtor/storage/sqlite_store.hpp"
#include "net/caf_compat.hpp"
#include "net/hub.hpp"
#include "net/tls.hpp"

namespace paxtor::actors {

namespace {

/// How long an actor may take to end when told to.
constexpr std::chrono::milliseconds end_timeout{2000};

/// How long a node's leaving is waited for beside its ttl. A node that cannot reach a majority
/// cannot close its session: it leaves without, and the others wait for the session to expire.
constexpr std::chrono::milliseconds leave_patience{1000};

constexpr std::chrono::milliseconds status_timeout{1000};

std::uint64_t random_number() {
  std::random_device source;
  return (std::uint64_t{source()} << 32) | source();
}

/// Answers everything with not_joined.
caf::behavior closed_door(caf::event_based_actor* self) {
  self->set_default_handler(
    [](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
      return make_error(errc::not_joined, "this node has left the cluster");
    });
  return {[self](quit_atom) { self->quit(); }};
}

} // namespace

node::node(caf::actor_system& sys, plan what)
    : sys_(&sys),
      plan_(std::move(what)),
      log_(plan_.options.name),
      book_(std::make_shared<net::peers>()),
      names_(std::make_shared<name_book>(sys)),
      lease_(std::make_shared<detail::lease_view>()),
      progress_(std::make_shared<join_progress>()) {}

node::~node() = default;

// -- start ----------------------------------------------------------------------------------------

caf::expected<std::shared_ptr<node>> node::join(caf::actor_system& sys, const plan& what,
                                                parking_unit* unit) {
  auto result = std::make_shared<node>(sys, what);
  // A node that was never used has nothing that its guardian could free.
  const auto undo = [&result] {
    if (result->guardian_)
      result->guardian_->stop(true);
    result->stop(); // I38
  };
  if (auto problem = result->start(unit)) {
    undo();
    return problem;
  }
  const auto timeout = what.options.join_timeout;
  if (result->progress_->wait(timeout) == join_progress::outcome::joined)
    return result;
  std::vector<std::string> voters;
  for (const auto& one : what.voters)
    voters.push_back(one.name);
  auto why = result->progress_->explain(voters, what.options.name, timeout);
  undo();
  return why;
}

std::unique_ptr<guardian_keeper> node::make_guardian() const {
  guardian_setup setup;
  for (const auto& one : plan_.voters)
    if (one.name != plan_.options.name)
      setup.voters.push_back(one);
  // If this node is the only voter, nobody is left to tell.
  if (!plan_.options.guardian || setup.voters.empty())
    return nullptr;
  setup.node_name = plan_.options.name;
  setup.program = plan_.options.guardian_program;
  setup.tls = net::tls_files_of(sys_->config());
  setup.awaits = plan_.options.guardian_awaits;
  std::string why;
  auto made = guardian_keeper::make(std::move(setup), why);
  if (!made)
    log_.warn("no guardian: if this process crashes, what it holds is freed only after the ttl "
              "(paxtor.guardian=false does without, and says nothing)",
              {{"why", why}, {"ttl_ms", plan_.options.ttl.count()}});
  return made;
}

std::function<void(const paxos::configuration&)> node::guardian_news() const {
  return [guardian = std::weak_ptr<guardian_keeper>{guardian_},
          plan = plan_](const paxos::configuration& voters) {
    const auto keeper = guardian.lock();
    if (!keeper)
      return;
    std::vector<struct plan::voter> others;
    for (const auto& who : voters.members) {
      if (who.name == plan.options.name)
        continue;
      auto where = net::parse_endpoint(who.address);
      const auto given = std::find_if(plan.voters.begin(), plan.voters.end(),
                                      [&who](const auto& one) { return one.name == who.name; });
      if (where)
        others.push_back({who.name, *where});
      else if (given != plan.voters.end())
        others.push_back(*given);
    }
    keeper->voters_are(std::move(others));
  };
}

caf::error node::open_data(agent_setup& setup) {
  const auto& path = plan_.options.data_dir;
  if (path.empty())
    return {};
  auto opened = data_dir::open(path, plan_.options.name);
  if (!opened)
    return std::move(opened.error());
  data_ = std::move(*opened);
  if (!data_->forgotten().empty())
    log_.warn("nothing in the data directory proves the end of the process before",
              {{"path", path}, {"why", data_->forgotten()}});
  for (const auto& life : data_->ended()) {
    registry::certify_end proof;
    proof.node = life.node;
    proof.proof = registry::end_reason::store_reopened;
    proof.secret = life.secret;
    proof.detail = "node " + life.name + " was started again";
    setup.proofs.push_back(std::move(proof));
  }
  setup.proof_settled = [data = data_](node_id ended) { data->forget(ended); };
  // What this process's owners have started may outlive it, and only the guardian knows how to wait
  // for that: then the directory's lock proves nothing.
  if (!plan_.options.guardian_awaits.empty())
    return {};
  auto secret = guardian_ ? guardian_->secret() : make_secret();
  if (secret.empty())
    return make_error(errc::cannot_open, "the system gives no random bytes for a secret");
  setup.info.seal = sha256(secret);
  return data_->begin({id_, std::move(secret), plan_.options.name});
}

caf::error node::start_voter() {
  voter_setup setup;
  setup.name = plan_.options.name;
  for (const auto& one : plan_.voters) {
    setup.initial_names.push_back(one.name);
    // Where others find them, whatever those others' settings say in some years.
    if (one.address.port != 0)
      setup.addresses.emplace(one.name, to_string(one.address));
  }
  setup.book = book_;
  generator random{random_number()};
  const auto fresh = random.make_id<voter_id>();
  if (data_)
    setup.store = std::make_unique<storage::sqlite_store>(plan_.options.data_dir, fresh);
  else
    setup.store = std::make_unique<storage::memory_store>(fresh);
  log_.info("the voter's store", {{"store", setup.store->describe()}});
  setup.times = plan_.times;
  setup.leases = plan_.leases;
  setup.seed = random.next();
  setup.listener = agent_;
  auto made = spawn_voter(*sys_, std::move(setup));
  if (!made)
    return std::move(made.error());
  voter_ = std::move(*made);
  return {};
}

caf::expected<std::uint16_t> node::start_hub(const cluster::hello_frame& hello) {
  net::hub_options options;
  options.self = hello;
  for (const auto& one : plan_.voters)
    if (one.name != plan_.options.name)
      options.targets.push_back({one.name, one.address});
  options.boxes.agent = caf::actor_cast<caf::strong_actor_ptr>(agent_);
  options.boxes.host = caf::actor_cast<caf::strong_actor_ptr>(host_);
  options.listener = agent_;
  if (voter_) {
    options.boxes.acceptor = caf::actor_cast<caf::strong_actor_ptr>(voter_->acceptor);
    options.boxes.proposer = caf::actor_cast<caf::strong_actor_ptr>(voter_->proposer);
    options.boxes.learner = caf::actor_cast<caf::strong_actor_ptr>(voter_->learner);
    options.voter = voter_->supervisor;
  }
  hub_ = net::spawn_hub(*sys_, book_, std::move(options));
  if (!hub_) {
    auto why = net::check_tls(sys_->config());
    return why ? why : make_error(errc::cannot_open, "the node's links cannot be set up");
  }
  if (!plan_.listen)
    return std::uint16_t{0};
  return net::listen(*sys_, hub_, *plan_.listen);
}

caf::error node::start(parking_unit* unit) {
  if (auto problem = net::check_tls(sys_->config()))
    return problem;
  try {
    dog_ = std::make_shared<watchdog>(plan_.options.name);
  } catch (const std::exception& ex) {
    return make_error(errc::cannot_open,
                      std::string{"the watchdog cannot be started: "} + ex.what());
  }
  id_ = generator{random_number()}.make_id<node_id>();
  agent_setup setup;
  setup.info = {id_, plan_.options.name, {}, {}, plan_.labels, plan_.options.capacity, {}};
  for (const auto& [type, factory] : sys_->config().actor_factories)
    setup.info.types.push_back(type);
  std::sort(setup.info.types.begin(), setup.info.types.end());
  // Nobody could reach what it hosts.
  if (!plan_.listen)
    setup.info.types.clear();
  guardian_ = make_guardian();
  if (guardian_)
    setup.info.seal = guardian_->seal();
  if (auto problem = open_data(setup))
    return problem;
  setup.voters_changed = guardian_news();
  setup.leases = plan_.leases;
  setup.seed = random_number();
  setup.book = book_;
  setup.names = names_;
  setup.lease = lease_;
  setup.dog = dog_;
  setup.progress = progress_;
  closed_ = sys_->spawn<caf::hidden>(closed_door);
#ifdef PAXTOR_CANARY_ROLES_SHARE_THREADS
  agent_ = sys_->spawn<agent_actor, caf::hidden>(std::move(setup));
#else
  agent_ = net::spawn_own_thread<agent_actor>(*sys_, std::move(setup));
#endif
  host_ = net::spawn_own_thread<host_actor>(*sys_, plan_.options.name, unit);
  names_->keeper(agent_);
  if (plan_.keeps_log())
    if (auto problem = start_voter())
      return problem;
  cluster::hello_frame hello;
  hello.cluster_name = plan_.options.cluster;
  hello.node = id_;
  hello.node_name = plan_.options.name;
  hello.versions = cluster::own_versions();
  hello.ttl_us = static_cast<std::uint64_t>(plan_.leases.ttl.count());
  if (plan_.advertise)
    hello.endpoint = to_string(*plan_.advertise);
  if (voter_) {
    hello.voter = voter_->id;
    // A standby waits for what has formed without it.
    if (plan_.is_voter)
      for (const auto& one : plan_.voters)
        hello.initial_voters.push_back(one.name);
  }
  auto port = start_hub(hello);
  if (!port)
    return std::move(port.error());
  port_ = *port;
  std::string endpoint;
  if (plan_.listen) {
    auto where = plan_.advertise.value_or(*plan_.listen);
    if (where.port == 0)
      where.port = port_;
    endpoint = to_string(where);
  }
  if (guardian_)
    guardian_->start(id_);
  const begin first{endpoint, agent_, hub_, host_, voter_ ? voter_->supervisor : caf::actor{}};
  caf::anon_send(host_, first);
  caf::anon_send(agent_, first);
  log_.info("node started", {{"listen", endpoint.empty() ? std::string{"-"} : endpoint},
                             {"role", plan_.is_voter      ? "voter"
                                      : plan_.keeps_log() ? "standby"
                                                          : "client"},
                             {"ttl_ms", plan_.options.ttl.count()}});
  return {};
}

// -- the door's -----------------------------------------------------------------------------------

caf::actor node::agent() const {
  std::lock_guard guard{mutex_};
  return leaving_ ? closed_ : agent_;
}

caf::actor_system* node::system() const {
  std::lock_guard guard{mutex_};
  return stopped_ ? nullptr : sys_;
}

bool node::leaving() const {
  std::lock_guard guard{mutex_};
  return leaving_;
}

caf::strong_actor_ptr node::named(const key& k, const std::string& type, const caf::message& args,
                                  const name_options& options,
                                  const std::set<std::string>& interface) {
  auto* sys = system();
  if (sys == nullptr)
    return nullptr;
  registry::singleton_spec spec;
  auto problem =
    k.ok() ? make_spec(*sys, type, args, options, spec) : make_error(errc::invalid, k.problem());
  if (!problem)
    return names_->handle(term::from_canonical(k.text()), spec, interface);
  // A handle all the same, so that the caller hears of it where answers are heard.
  auto refusing = std::make_shared<name_book>(*sys);
  refusing->close(problem);
  return refusing->handle(term{}, spec, interface);
}

nlohmann::json node::status() const {
  nlohmann::json result;
  result["node"] = plan_.options.name;
  result["voter"] = plan_.keeps_log();
  result["port"] = port_;
  result["guardian"] = guardian_ ? guardian_->status() : nlohmann::json{{"on", false}};
  caf::actor agent;
  caf::actor hub;
  caf::actor voter;
  {
    std::lock_guard guard{mutex_};
    result["joined"] = !leaving_;
    if (leaving_)
      return result;
    agent = agent_;
    hub = hub_;
    voter = voter_ ? voter_->supervisor : caf::actor{};
  }
  caf::scoped_actor self{*sys_, true};
  auto ask = [&self](const caf::actor& whom) {
    nlohmann::json answer;
    if (whom)
      self->request(whom, status_timeout, net::status_atom::value)
        .receive(
          [&](const std::string& text) { answer = nlohmann::json::parse(text, nullptr, false); },
          [](const caf::error&) {});
    return answer.is_discarded() ? nlohmann::json{} : answer;
  };
  if (auto own = ask(agent); own.is_object())
    result.update(own);
  result["net"] = ask(hub);
  result["log"] = ask(voter);
  return result;
}

// -- the end --------------------------------------------------------------------------------------

void node::leave() {
  std::lock_guard one{leave_mutex_};
  caf::actor agent;
  {
    std::lock_guard guard{mutex_};
    if (stopped_ || std::exchange(leaving_, true))
      return;
    agent = agent_;
  }
  if (!agent)
    return;
  const auto asked = std::chrono::steady_clock::now();
  caf::anon_send(agent, leave_atom::value);
  const auto patience = std::min<std::chrono::milliseconds>(plan_.options.ttl, leave_patience);
  if (!progress_->wait_left(patience)) {
    log_.warn("the session could not be closed in time: it will expire");
    return;
  }
  // After a ttl the agent gives up without having closed it; then the guardian stays for the end
  // of the process.
  if (std::chrono::steady_clock::now() - asked >= plan_.options.ttl)
    return;
  if (guardian_)
    guardian_->stop(true);
  if (data_)
    data_->forget(id_);
}

void node::stop() {
  leave();
  std::lock_guard one{leave_mutex_};
  {
    std::lock_guard guard{mutex_};
    if (std::exchange(stopped_, true))
      return;
    leaving_ = true;
  }
  // F2: while something bounded lives here, agent and watchdog stay. It ends, or the watchdog
  // ends the process.
  while (!progress_->wait_unguarded(plan_.options.ttl))
    log_.error("waiting for owners or singletons that do not end");
  end_actors();
  if (guardian_)
    guardian_->stop(false);
  if (dog_)
    dog_->stop();
  dog_.reset();
  // F4: whoever has its lock from here on may say that all owners of this node have ended.
  data_.reset();
  log_.info("node stopped");
}

void node::end_actors() {
  caf::actor agent;
  caf::actor host;
  caf::actor hub;
  caf::actor closed;
  std::optional<voter_handles> voter;
  {
    std::lock_guard guard{mutex_};
    agent = std::exchange(agent_, {});
    host = std::exchange(host_, {});
    hub = std::exchange(hub_, {});
    closed = std::exchange(closed_, {});
    voter = std::exchange(voter_, std::nullopt);
  }
  names_->keeper({});
  caf::scoped_actor self{*sys_, true};
  std::size_t left = 0;
  auto end = [&](caf::actor& who, auto order) {
    if (!who)
      return;
    self->monitor(who);
    self->send(who, order);
    ++left;
  };
  auto watch = [&](const caf::actor& who) {
    if (!who)
      return;
    self->monitor(who);
    ++left;
  };
  // The host first: what it kills has ended before the links are cut.
  end(host, quit_atom::value);
  end(hub, net::stop_atom::value);
  if (voter) {
    for (const auto& role :
         {voter->acceptor, voter->proposer, voter->learner, voter->storage, voter->snapshots})
      watch(role);
    end(voter->supervisor, net::stop_atom::value);
  }
  end(agent, quit_atom::value);
  end(closed, quit_atom::value);
  // CAF's system cannot end while one of them lives; a thread that hangs is better said than waited
  // for in silence.
  while (left > 0) {
    auto timed_out = false;
    self->receive([&](const caf::down_msg&) { --left; },
                  caf::after(end_timeout) >> [&] { timed_out = true; });
    if (timed_out) {
      log_.error("actors of this node do not end", {{"left", left}});
      break;
    }
  }
  // What CAF's broker has not read when the system ends keeps the actors' threads for ever.
  if (!net::settle(*sys_, end_timeout))
    log_.error("CAF's I/O does not settle");
}

} // namespace paxtor::actors
