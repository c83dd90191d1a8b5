#include <doctest/doctest.h>

#include <set>
#include <string>
#include <variant>
#include <vector>

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/cluster/registrar.hpp"

namespace paxtor::cluster {

namespace {

constexpr node_id node{10};

struct bench {
  registrar self;
  std::uint64_t at = 0;

  paxos::decided_entry entry(paxos::entry_kind kind, std::string data) {
    ++at;
    return {index{at}, slot{at}, {kind, std::move(data)}};
  }

  paxos::decided_entry command(registry::command what) {
    return entry(paxos::entry_kind::command, encode(what));
  }

  session_id open(node_id who = node, std::string name = "n") {
    registry::open_session what;
    what.node = who;
    what.name = std::move(name);
    self.apply({command(what)});
    return session_id{at};
  }

  registry::command acquire(session_id from, std::uint64_t number, std::uint64_t actor) {
    return registry::acquire{
      {from, seq{number}, seq{1}}, local_actor_id{actor}, {term::from_canonical("1")}, {}, {}};
  }
};

template <class T>
std::vector<T> all(const registrar_output& out) {
  std::vector<T> result;
  for (auto& x : out.send)
    if (auto* y = std::get_if<T>(&x.what))
      result.push_back(*y);
  return result;
}

} // namespace

TEST_CASE("answers of one turn go out together, and only from the leader") {
  bench x;
  auto session = x.open();
  auto quiet = x.self.take_output();
  CHECK(quiet.send.empty());
  REQUIRE(quiet.notes.size() == 1);
  CHECK(quiet.notes[0].upto == slot{1});
  REQUIRE(quiet.notes[0].events.size() == 1);
  x.self.lead(true);
  x.self.apply({x.command(x.acquire(session, 1, 1)), x.command(x.acquire(session, 2, 2))});
  x.self.apply({x.command(x.acquire(session, 3, 3))});
  auto out = x.self.take_output();
  auto told = all<answers>(out);
  REQUIRE(told.size() == 1);
  CHECK(told[0].items.size() == 3);
  CHECK(told[0].items[0].code == registry::status::granted);
  CHECK(told[0].items[2].code == registry::status::queued);
  CHECK(out.notes.size() == 1);
  CHECK(x.self.take_output().notes.empty());
}

TEST_CASE("entries that cannot be read are counted, and told to whoever must stop for it") {
  bench x;
  x.self.lead(true);
  x.self.apply({x.entry(paxos::entry_kind::noop, "")});
  CHECK_FALSE(x.self.unreadable());
  x.self.apply(
    {x.entry(paxos::entry_kind::command, "garbage"), x.entry(paxos::entry_kind::reign, "?"),
     x.entry(static_cast<paxos::entry_kind>(200), "?"), x.entry(paxos::entry_kind::noop, "")});
  CHECK(x.self.dropped() == 3);
  CHECK(x.self.unreadable() == index{2});
  CHECK(x.self.take_output().notes.at(0).upto == slot{5});
}

TEST_CASE("a reign entry is told to the lease keeper") {
  bench x;
  ballot at{3, voter_id{1}};
  x.self.apply({x.entry(paxos::entry_kind::reign, encode(at))});
  auto notes = x.self.take_output().notes;
  REQUIRE(notes.size() == 1);
  REQUIRE(notes[0].events.size() == 1);
  CHECK(std::get<registry::reign_began>(notes[0].events[0]).at == at);
}

TEST_CASE("a question is answered once its slot is applied, not before") {
  bench x;
  x.open();
  (void)x.self.take_output();
  x.self.read({node, 5, registry::query_members{}, slot{3}, {}});
  x.self.read({node, 6, registry::query_members{}, slot{1}, {}});
  auto told = all<read_answer>(x.self.take_output());
  REQUIRE(told.size() == 1);
  CHECK(told[0].id == 6);
  x.self.apply({x.entry(paxos::entry_kind::noop, "")});
  CHECK(all<read_answer>(x.self.take_output()).empty());
  x.self.apply({x.entry(paxos::entry_kind::noop, "")});
  told = all<read_answer>(x.self.take_output());
  REQUIRE(told.size() == 1);
  CHECK(told[0].id == 5);
}

TEST_CASE("R4: a sync goes out when effects were missed, and only then") {
  bench x;
  x.self.lead(true);
  auto session = x.open();
  auto other = x.open(node_id{11}, "m");
  x.self.apply({x.command(x.acquire(session, 1, 1)), x.command(x.acquire(other, 1, 1))});
  (void)x.self.take_output();
  registry::owner_exited exited{{session, seq{2}, seq{2}}, session, local_actor_id{1}, "done"};
  x.self.apply({x.command(exited)});
  auto effects = all<registry::effects_for>(x.self.take_output());
  REQUIRE(effects.size() == 1);
  CHECK(effects[0].node == node_id{11});
  x.self.sync({other, effects[0].at});
  CHECK(x.self.take_output().send.empty());
  x.self.sync({other, effects[0].previous});
  auto again = all<registry::effects_for>(x.self.take_output());
  REQUIRE(again.size() == 1);
  CHECK(again[0].complete);
  x.self.sync({session_id{99}, index{}});
  CHECK(x.self.take_output().send.empty());
  x.self.lead(false);
  x.self.sync({other, effects[0].previous});
  CHECK(x.self.take_output().send.empty());
}

TEST_CASE("an installed image tells the lease keeper which sessions came, went, and who reigns") {
  bench source;
  bench target;
  ballot at{3, voter_id{1}};
  auto gone = source.open();
  CHECK(target.open() == gone);
  (void)target.self.take_output();
  source.self.apply({source.command(registry::close_session{gone, registry::end_reason::left, ""}),
                     source.entry(paxos::entry_kind::reign, encode(at))});
  auto fresh = source.open(node_id{11}, "m");
  target.self.install({slot{50}, index{500}, {}, source.self.image()});
  auto notes = target.self.take_output().notes;
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].upto == slot{50});
  std::vector<session_id> opened;
  std::vector<session_id> closed;
  std::vector<ballot> reigns;
  for (auto& event : notes[0].events) {
    if (auto* x = std::get_if<registry::session_opened>(&event))
      opened.push_back(x->session);
    if (auto* y = std::get_if<registry::session_closed>(&event))
      closed.push_back(y->session);
    if (auto* z = std::get_if<registry::reign_began>(&event))
      reigns.push_back(z->at);
  }
  CHECK(opened == std::vector<session_id>{fresh});
  CHECK(closed == std::vector<session_id>{gone});
  CHECK(reigns == std::vector<ballot>{at});
}

TEST_CASE("many answers are told in several messages of bounded size") {
  bench x;
  x.self.lead(true);
  auto session = x.open();
  (void)x.self.take_output();
  std::vector<paxos::decided_entry> entries;
  for (std::uint64_t i = 1; i <= 100; ++i) {
    registry::put what;
    what.from = {session, seq{i}, seq{1}};
    what.bucket = "b";
    what.key = term::from_canonical(std::to_string(i));
    what.value = '"' + std::string(60000, 'v') + '"';
    entries.push_back(x.command(what));
  }
  x.self.apply(entries);
  auto told = all<answers>(x.self.take_output());
  CHECK(told.size() >= 6);
  std::size_t count = 0;
  for (auto& y : told) {
    CHECK(encode(y).size() < max_frame_bytes / 4);
    count += y.items.size();
  }
  CHECK(count == 100);
}

namespace {

/// One session holds many keys, another waits for all of them.
struct crowd : bench {
  static constexpr std::uint64_t keys = 100'000;

  crowd() {
    holder = open();
    heir = open(node_id{11}, "m");
    for (auto who : {holder, heir})
      for (std::uint64_t i = 1; i <= keys; ++i) {
        registry::acquire what;
        what.from = {who, seq{i}, seq{i}};
        what.actor = local_actor_id{i};
        what.keys = {term::from_canonical(std::to_string(i))};
        self.apply({command(what)});
      }
    self.lead(true);
    (void)self.take_output();
  }

  /// Which acquires the effects grant; each message a frame of its own.
  std::set<seq> granted(const registrar_output& out) {
    std::set<seq> result;
    auto told = all<registry::effects_for>(out);
    CHECK(told.size() > 1);
    for (std::size_t i = 0; i < told.size(); ++i) {
      CHECK(told[i].complete);
      CHECK(told[i].part == i);
      CHECK(told[i].parts == told.size());
      CHECK(encode(told[i]).size() <= registrar::max_effect_bytes);
      for (auto& x : told[i].effects)
        CHECK(result.insert(std::get<registry::lock_granted>(x).of).second);
    }
    return result;
  }

  session_id holder;
  session_id heir;
};

} // namespace

TEST_CASE("R4: 100,000 grants of one entry, and a sync of them, are told in frames") {
  crowd x;
  auto before = x.self.machine().last_effect(x.heir);
  x.self.apply({x.command(registry::close_session{x.holder, registry::end_reason::left, ""})});
  CHECK(x.granted(x.self.take_output()).size() == crowd::keys);
  x.self.sync({x.heir, before});
  CHECK(x.granted(x.self.take_output()).size() == crowd::keys);
}

} // namespace paxtor::cluster
