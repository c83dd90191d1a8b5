#include "actors/role_actor.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <nlohmann/json.hpp>

#include "actors/store_access.hpp"
#include "net/caf_compat.hpp"
#include "net/hub.hpp"

namespace paxtor::actors {

role_actor::role_actor(caf::actor_config& cfg, role_setup setup)
    : net::inline_actor(cfg), setup_(std::move(setup)) {}

role_actor::~role_actor() = default;

void role_actor::on_exit() {
  // The actors of a voter know each other: without this none of them would ever be destroyed.
  others_ = {};
  outbox_ = {};
  setup_.book = nullptr;
}

caf::behavior role_actor::make_behavior() {
  set_exception_handler([who = std::string{name()}](std::exception_ptr& problem) -> caf::error {
    net::die(who, problem);
  });
  set_default_handler(
    [this](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
      drop("a message that is none of ours");
      took_input();
      return caf::sec::unexpected_message;
    });
  set_error_handler([](caf::error&) {});
  return {
    [this](net::frame_atom, const std::string& bytes) {
      on_frame(bytes);
      took_input();
    },
    [this](const own_message& local) {
      if (started())
        step(setup_.self, local.what);
      took_input();
    },
    [this](const written& done) {
      persisted(done.upto);
      took_input();
    },
    [this](const applied_news& news) {
      on_news(news);
      took_input();
    },
    [this](const keeper_news& news) {
      on_news(news);
      took_input();
    },
    [this](const log_news& news) {
      on_news(news);
      took_input();
    },
    [this](const known_voters& news) {
      on_news(news);
      took_input();
    },
    [this](const snapshot_image& made) {
      on_news(made);
      took_input();
    },
    [this](tick_atom) {
      tick();
      arm_tick();
      took_input();
    },
    [this](meet_atom, const colleagues& others) {
      others_ = others;
      took_input();
    },
    [this](const role_start& begin) {
      cluster_ = begin.cluster;
      outbox_ = outbox{setup_.self, cluster_, others_, setup_.book};
      start(begin);
      arm_tick();
      took_input();
    },
    [this](net::status_atom) {
      auto text = with_frames(status());
      // Inputs before it may have left their output to whatever stood behind them: to this.
      took_input();
      return text;
    },
    [this](net::stop_atom) { quit(); },
  };
}

void role_actor::arm_tick() {
  if (tick_every() > duration{0})
    delayed_send(this, std::chrono::ceil<std::chrono::milliseconds>(tick_every()),
                 tick_atom::value);
}

void role_actor::took_input() {
  if (++inputs_ < max_inputs_per_turn && !net::mailbox_drained(this))
    return;
  inputs_ = 0;
  if (started())
    flush();
}

void role_actor::on_frame(const std::string& bytes) {
  cluster::frame decoded;
  if (cluster::decode_frame(bytes, decoded) != cluster::frame_error::none) {
    drop("a frame that cannot be read");
    return;
  }
  ++frames_[cluster::version_in(bytes)];
  if (auto paxos = std::get_if<cluster::paxos_frame>(&decoded)) {
    if (!started() && paxos->cluster != heard_ && others_.supervisor) {
      heard_ = paxos->cluster;
      send(others_.supervisor, heard_atom::value, heard_.value);
    }
    if (!started() || paxos->cluster != cluster_ || paxos->to_role != which()
        || (paxos->to.valid() && paxos->to != setup_.self) || paxos->from == setup_.self
        || !paxos->from.valid() || paxos::is_local(paxos->what)) {
      drop("a Paxos frame that is not for this role, cluster or time");
      return;
    }
    step(paxos->from, paxos->what);
  } else if (auto node = std::get_if<cluster::node_frame>(&decoded)) {
    if (!started() || node->cluster != cluster_ || !node->from.valid()) {
      drop("a node's frame for another cluster or time");
      return;
    }
    on_node(*node);
  } else {
    drop("a frame of a kind that is not for roles");
  }
}

std::string role_actor::with_frames(const std::string& text) const {
  auto result = nlohmann::json::parse(text);
  for (const auto& [version, count] : frames_)
    result["frames"][std::to_string(version)] = count;
  return result.dump();
}

void role_actor::drop(const char* what) {
  // Before it starts a role drops what it gets, and that is no news.
  dropped_.log(started() ? net::level::warn : net::level::debug,
               std::string{name()} + " dropped " + what + " node=" + setup_.node_name);
}

void role_actor::send_to_node(node_id node, cluster::voter_message what) {
  auto bytes =
    cluster::encode_frame(cluster::voter_frame{cluster_, setup_.self, node, std::move(what)},
                          setup_.book->version_for(node));
  setup_.book->to_node(node, net::peers::wrap(std::move(bytes)));
}

void role_actor::write(std::vector<paxos::write> writes) {
  if (writes.empty())
    return;
  auto last = writes.back().id;
  if (!setup_.store->in_place()) {
    send(others_.storage, write_order{std::move(writes), when_written()});
    return;
  }
  auto outcome = setup_.store->append(writes);
  // L1: a voter that cannot write must not go on as if it had.
  if (!outcome.ok())
    net::die("the store of node " + setup_.node_name, outcome.why);
  persisted(last);
}

} // namespace paxtor::actors
