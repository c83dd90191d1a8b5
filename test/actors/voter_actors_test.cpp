// Three voters of real actors and links in one process: they form, elect, commit and survive.

#include <set>

#include "test/actors/voter_help.hpp"

using namespace paxtor;
using namespace paxtor::test;

namespace {

using ports_map = std::map<std::string, std::uint16_t>;

template <class Store>
std::unique_ptr<storage::store> blank_store(std::uint64_t id) {
  return std::make_unique<Store>(voter_id{id});
}

/// Voters a, b, c with stores of this kind.
template <class Store = storage::memory_store>
struct trio {
  ports_map ports = free_ports({"a", "b", "c"});
  std::map<std::string, std::unique_ptr<voter_node>> nodes;

  cluster_id cluster_;

  trio() {
    std::uint64_t n = 1;
    for (const auto& [name, port] : ports) {
      nodes[name] = std::make_unique<voter_node>(name, n, ports, blank_store<Store>(1000 + n));
      ++n;
    }
    for (auto& [name, node] : nodes)
      REQUIRE(eventually([&] { return node->events->count("formed") == 1; }, 20s));
    cluster_ = cluster_id{std::stoull(nodes.begin()->second->events->all().at(0).text)};
  }

  [[nodiscard]] cluster_id cluster() const { return cluster_; }

  [[nodiscard]] std::string leader() {
    std::string found;
    REQUIRE(eventually(
      [&] {
        for (auto& [name, node] : nodes)
          if (node->leads())
            found = name;
        return !found.empty();
      },
      20s));
    return found;
  }

  [[nodiscard]] std::vector<net::hub_options::target>
  targets(const std::set<std::string>& names) const {
    std::vector<net::hub_options::target> result;
    for (const auto& [name, port] : ports)
      if (names.count(name) > 0)
        result.push_back({name, at(port)});
    return result;
  }
};

registry::open_session open(std::uint64_t node) {
  registry::open_session result;
  result.node = node_id{node};
  result.name = "client-" + std::to_string(node);
  return result;
}

registry::put put_once(session_id session, std::uint64_t number, const std::string& key) {
  registry::put result;
  result.from = {session, seq{number}, seq{1}};
  result.bucket = "test";
  result.key = term::from_canonical("\"" + key + "\"");
  result.value = std::to_string(number);
  return result;
}

template <class Store>
void form_commit_survive() {
  trio<Store> three;
  std::set<std::string> ids;
  for (auto& [name, node] : three.nodes)
    ids.insert(node->events->all().at(0).text);
  CHECK(ids.size() == 1);
  auto first = three.leader();
  client user{50, three.targets({"a", "b", "c"})};
  auto opened = user.ask(open(50), seq{1}, three.cluster());
  REQUIRE(opened);
  REQUIRE(opened->code == registry::status::ok);
  auto session = opened->opened;
  REQUIRE(session.valid());
  for (std::uint64_t n = 2; n <= 20; ++n) {
    auto stored = user.ask(put_once(session, n, "k" + std::to_string(n)), seq{n}, three.cluster());
    REQUIRE(stored);
    CHECK(stored->code == registry::status::ok);
    CHECK(stored->value == std::to_string(n));
  }
  three.nodes.erase(first);
  auto second = three.leader();
  CHECK(second != first);
  // What was committed under the first leader is there under the second: put-once answers the first
  // value.
  auto again = user.ask(put_once(session, 21, "k2"), seq{21}, three.cluster());
  REQUIRE(again);
  CHECK(again->value == "2");
}

} // namespace

TEST_CASE("voters: three form, elect, commit, and survive the end of their leader") {
  form_commit_survive<storage::memory_store>();
}

TEST_CASE("voters: the same with a store that only the storage actor touches") {
  form_commit_survive<pretended_disk>();
}

TEST_CASE("voters: a node that reaches only a voter that does not lead is served through it") {
  trio<> three;
  auto leader = three.leader();
  auto follower = leader == "a" ? "b" : "a";
  client user{60, three.targets({follower})};
  auto opened = user.ask(open(60), seq{1}, three.cluster());
  REQUIRE(opened);
  CHECK(opened->code == registry::status::ok);
  CHECK(three.nodes[follower]->status()["proposer"]["relayed"].get<std::uint64_t>() >= 1);
  // And is told who leads, so that it may go there.
  auto told = three.nodes[leader]->id();
  CHECK(eventually([&] {
    for (const auto& one : user.link().frames->all()) {
      cluster::frame decoded;
      if (cluster::decode_frame(one.text, decoded) != cluster::frame_error::none)
        continue;
      auto frame = std::get_if<cluster::voter_frame>(&decoded);
      auto no = frame != nullptr ? std::get_if<cluster::not_leading>(&frame->what) : nullptr;
      if (no != nullptr && no->leader == told)
        return true;
    }
    return false;
  }));
}

TEST_CASE("voters: a blank store under the id of a voter has forgotten, and never votes") {
  trio<> three;
  auto leader = three.leader();
  auto lost = leader == "a" ? "b" : "a";
  const auto id = three.nodes[lost]->id();
  three.nodes.erase(lost);
  three.nodes[lost] = std::make_unique<voter_node>(lost, 77, three.ports,
                                                   std::make_unique<storage::memory_store>(id));
  auto& back = *three.nodes[lost];
  REQUIRE(eventually([&] { return back.events->count("outsider") == 1; }));
  CHECK(back.events->count("formed") == 0);
  CHECK(back.events->has("outsider", "never votes"));
  CHECK(back.status()["phase"] == "outsider");
  // Its links say so from now on, and the others go on.
  CHECK(eventually([&] {
    auto known = three.nodes[leader]->book->find(node_id{77});
    return known && !known->hello.voter.valid();
  }));
  client user{61, three.targets({"a", "b", "c"})};
  CHECK(user.ask(open(61), seq{1}, three.cluster()));
}

TEST_CASE("voters: a blank store under the name of a voter takes its place, by itself") {
  trio<> three;
  auto leader = three.leader();
  const std::string lost = leader == "a" ? "b" : "a";
  three.nodes.erase(lost);
  three.nodes[lost] =
    std::make_unique<voter_node>(lost, 77, three.ports, blank_store<storage::memory_store>(7777));
  auto votes = [&](const std::string& who, std::uint64_t id) {
    const auto now = three.nodes[who]->status();
    for (const auto& one : now["learner"]["voters"])
      if (one["id"] == id)
        return true;
    return false;
  };
  REQUIRE(eventually([&] { return votes(leader, 7777) && votes(lost, 7777); }, 20s));
  // It counts: without it there would be no majority any more.
  const std::string third = leader == "c" ? "b" : "c";
  REQUIRE(third != lost);
  three.nodes.erase(third);
  client user{61, three.targets({"a", "b", "c"})};
  CHECK(user.ask(open(61), seq{1}, three.cluster()));
}

TEST_CASE(
  "voters: frames of other clusters, of later versions, and nonsense are dropped and counted") {
  trio<> three;
  auto leader = three.leader();
  auto& node = *three.nodes[leader];
  auto before = node.status();
  auto send = [&](const caf::actor& role, std::string bytes) {
    caf::anon_send(role, net::frame_atom::value, std::move(bytes));
  };
  cluster::paxos_frame foreign{cluster_id{1},
                               voter_id{1001},
                               {},
                               paxos::role::acceptor,
                               paxos::prepare{ballot{9999, voter_id{1}}, slot{1}}};
  send(node.handles().acceptor, cluster::encode_frame(foreign));
  // A local message over the wire, a stranger's, one for another role, one from oneself.
  foreign.cluster = three.cluster();
  foreign.what = paxos::truncate{slot{1000}};
  send(node.handles().acceptor, cluster::encode_frame(foreign));
  foreign.what = paxos::prepare{ballot{9999, voter_id{1}}, slot{1}};
  foreign.from = node.id();
  send(node.handles().acceptor, cluster::encode_frame(foreign));
  foreign.from = voter_id{1001};
  foreign.to_role = paxos::role::learner;
  send(node.handles().acceptor, cluster::encode_frame(foreign));
  send(node.handles().acceptor, "nonsense");
  send(node.handles().acceptor, std::string("PX\x7f\x01", 4));
  CHECK(eventually([&] {
    auto now = node.status()["acceptor"]["dropped_frames"].get<std::uint64_t>();
    return now == before["acceptor"]["dropped_frames"].get<std::uint64_t>() + 6;
  }));
  CHECK(node.status()["acceptor"]["promised"] == before["acceptor"]["promised"]);
}

TEST_CASE("voters: stop ends all actors of a voter at once") {
  trio<> three;
  (void)three.leader();
  auto& node = *three.nodes["a"];
  caf::scoped_actor self{node.system()};
  auto start = std::chrono::steady_clock::now();
  for (const auto& role : {node.handles().acceptor, node.handles().proposer, node.handles().learner,
                           node.handles().supervisor})
    self->monitor(role);
  self->send(node.handles().supervisor, net::stop_atom::value);
  for (int left = 4; left > 0; --left)
    self->receive([](const caf::down_msg&) {},
                  caf::after(10s) >> [] { FAIL("a role did not end"); });
  MESSAGE("stopped in ", (std::chrono::steady_clock::now() - start) / 1us, " us");
}
