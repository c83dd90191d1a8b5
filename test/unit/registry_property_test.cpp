// Random commands, repeated, reordered within the window and recovered late, against a naive model
// of who may own what; two replicas, one of them restored from images on the way.

#include <algorithm>
#include <array>
#include <deque>
#include <set>

#include "libpaxtor/base/random.hpp"
#include "test/unit/registry_fixture.hpp"

using namespace paxtor;
using namespace paxtor::registry;
using paxtor::registry::test::key;

namespace {

/// One node as the tests need it: numbers commands, knows which owners it ended.
struct node {
  session_id session;
  std::uint64_t node_number = 0;
  std::uint64_t nth = 0;
  std::uint64_t next = 1;
  std::set<std::uint64_t> unanswered;
  std::uint64_t next_actor = 1;
  std::vector<std::uint64_t> actors;
  std::set<std::uint64_t> ended;
  std::vector<std::pair<std::uint64_t, seq>> acquires;

  origin from() {
    auto number = next++;
    unanswered.insert(number);
    return {session, seq{number}, seq{*unanswered.begin()}};
  }
};

class harness {
public:
  explicit harness(std::uint64_t seed) : random_(seed) {
    begin_reign();
    for (std::uint64_t i = 0; i < 4; ++i) {
      nodes_[i].node_number = 100 + i;
      open(nodes_[i]);
    }
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i)
      step();
  }

  /// Everything ends; nothing may stay (R6).
  void finish() {
    while (!flight_.empty())
      deliver(0);
    for (auto& x : nodes_)
      apply(close_session{x.session, end_reason::left, ""});
    for (const auto& [zombie, node_number] : zombies_)
      apply(certify_end{node_id{node_number}, zombie, end_reason::forced, {}, ""});
    // Ghosts of everything that was ever sent.
    for (const auto& x : history_)
      apply(x);
    CHECK(one_.nothing_left());
  }

private:
  void open(node& x) {
    open_session what;
    what.node = node_id{x.node_number};
    what.nth = ++x.nth;
    what.name = "n" + std::to_string(x.node_number);
    what.types = {"t"};
    what.capacity = 3;
    apply(what);
    auto number = x.node_number;
    auto nth = x.nth;
    x = node{};
    x.node_number = number;
    x.nth = nth;
    x.session = last_.answers.back().what.opened;
    REQUIRE(x.session.valid());
  }

  std::string random_key() { return "k" + std::to_string(random_.below(6)); }

  void send(node& x) {
    if (x.actors.empty() || random_.chance(25))
      x.actors.push_back(x.next_actor++);
    auto actor = local_actor_id{x.actors[random_.below(x.actors.size())]};
    auto what = random_.below(100);
    command made;
    if (what < 50) {
      acquire a;
      a.from = x.from();
      a.actor = actor;
      std::set<term> keys;
      for (auto n = random_.between(1, 3); n > 0; --n)
        keys.insert(key(random_key()));
      a.keys.assign(keys.begin(), keys.end());
      a.mode = random_.chance(20) ? acquire_mode::try_once : acquire_mode::wait;
      a.kind = random_.chance(20) ? ownership::strict : ownership::bounded;
      x.acquires.emplace_back(actor.value, a.from.number);
      made = a;
    } else if (what < 60 && !x.acquires.empty()) {
      auto [who, of] = x.acquires[random_.below(x.acquires.size())];
      made = withdraw{x.from(), local_actor_id{who}, of};
    } else if (what < 80) {
      // The agent sends nothing for an owner that has ended.
      x.actors.erase(std::find(x.actors.begin(), x.actors.end(), actor.value));
      std::erase_if(x.acquires, [&](const auto& y) { return y.first == actor.value; });
      made = owner_exited{x.from(), x.session, actor, ""};
    } else if (what < 86) {
      made = put{x.from(), "b", key(random_key()), "1", actor.value};
    } else if (what < 92) {
      singleton_spec spec;
      spec.type = random_.chance(90) ? "t" : "u";
      spec.restart = random_.chance(50) ? restart_policy::on_failure : restart_policy::never;
      made = resolve{x.from(), key(random_key()), spec};
    } else if (what < 94) {
      made = forget{x.from(), key(random_key())};
    } else if (what < 95) {
      auto whom = nodes_[random_.below(4)].node_number;
      made = drain{x.from(), "n" + std::to_string(whom), random_.chance(60)};
    } else {
      made = host_report(x);
    }
    flight_.push_back(made);
    if (random_.chance(20))
      flight_.push_back(made);
  }

  command host_report(node& x) {
    auto name = key(random_key());
    auto where = nlohmann::json::parse(one_.ask(query_name{name}, {}));
    token grant{where.contains("token") ? where["token"].get<std::uint64_t>() : 1};
    switch (random_.below(4)) {
      case 0:
        return singleton_exited{x.from(), name, grant, true, "failed"};
      case 1:
        return start_failed{x.from(), name, grant, "error"};
      default:
        return started{x.from(), name, grant, local_actor_id{x.next_actor++}};
    }
  }

  void step() {
    auto& x = nodes_[random_.below(4)];
    auto what = random_.below(1000);
    if (what < 500) {
      send(x);
    } else if (what < 960) {
      // Mostly in order, sometimes not, sometimes never.
      if (!flight_.empty())
        deliver(random_.chance(80) ? 0 : random_.below(flight_.size()));
    } else if (what < 980) {
      if (!history_.empty())
        apply(history_[random_.below(history_.size())]); // a ghost
    } else if (what < 985) {
      apply(expire_session{x.session, reign_});
      if (has_strict(x.session))
        zombies_.emplace(x.session, x.node_number);
      open(x);
    } else if (what < 990) {
      apply(close_session{x.session, end_reason::left, ""});
      open(x);
    } else if (what < 991) {
      if (!zombies_.empty()) {
        auto [zombie, node_number] = *zombies_.begin();
        apply(certify_end{node_id{node_number}, zombie, end_reason::forced, {}, ""});
        zombies_.erase(zombie);
      }
    } else if (what < 993) {
      apply(expire_session{x.session, ballot{reign_.round - 1, voter_id{1}}});
      CHECK(one_.is_open(x.session));
    } else if (what < 996) {
      begin_reign();
    } else {
      swap_replica();
    }
  }

  bool has_strict(session_id s) {
    auto members = nlohmann::json::parse(one_.ask(query_members{}, {}));
    return std::any_of(members["members"].begin(), members["members"].end(),
                       [&](const auto& m) { return m["session"] == s.value; });
  }

  void begin_reign() {
    at_ = at_.next();
    reign_.round += 1;
    outcome out;
    one_.begin_reign(at_, reign_, out);
    two_.begin_reign(at_, reign_, out);
  }

  /// The second replica is replaced by one that got the first's image.
  void swap_replica() {
    machine fresh;
    REQUIRE(fresh.restore(one_.image()));
    CHECK(fresh.image() == two_.image());
    two_ = std::move(fresh);
  }

  void deliver(std::size_t which) {
    auto what = flight_[which];
    flight_.erase(flight_.begin() + static_cast<std::ptrdiff_t>(which));
    if (history_.size() < 400)
      history_.push_back(what);
    else
      history_[random_.below(400)] = what;
    apply(what);
    for (const auto& x : last_.answers) {
      for (auto& n : nodes_) {
        if (n.session == x.session)
          n.unanswered.erase(x.what.number.value);
      }
    }
  }

  void apply(const command& what) {
    at_ = at_.next();
    last_ = {};
    one_.apply(at_, what, last_);
    outcome other;
    two_.apply(at_, what, other);
    one_.check_all();
    same(last_, other);
    model(what);
  }

  void same(const outcome& x, const outcome& y) {
    REQUIRE(x.answers.size() == y.answers.size());
    for (std::size_t i = 0; i < x.answers.size(); ++i) {
      CHECK(x.answers[i].what.code == y.answers[i].what.code);
      CHECK(x.answers[i].what.detail == y.answers[i].what.detail);
      CHECK(x.answers[i].what.grant == y.answers[i].what.grant);
    }
    REQUIRE(x.effects.size() == y.effects.size());
    for (std::size_t i = 0; i < x.effects.size(); ++i) {
      CHECK(x.effects[i].session == y.effects[i].session);
      CHECK(x.effects[i].previous == y.effects[i].previous);
      CHECK(x.effects[i].effects.size() == y.effects[i].effects.size());
    }
  }

  /// Who may hold: a key changes hands only by the end of its owner, tokens of a key rise, nobody
  /// holds after its exit was applied, and a holder's session is open or the lock strict.
  void model(const command& what) {
    std::set<owner_id> may_end;
    bool all_of_session = false;
    session_id ended_session;
    if (const auto* x = std::get_if<owner_exited>(&what)) {
      if (!last_.answers.empty() && last_.answers[0].what.code == status::ok) {
        may_end.insert({x->owner_session, x->actor});
        gone_.insert({x->owner_session, x->actor});
      }
    } else if (const auto* y = std::get_if<close_session>(&what)) {
      all_of_session = true;
      ended_session = y->session;
    } else if (const auto* z = std::get_if<expire_session>(&what)) {
      all_of_session = z->at == reign_;
      ended_session = z->session;
    } else if (const auto* c = std::get_if<certify_end>(&what)) {
      all_of_session = true;
      ended_session = c->session;
    }
    for (int i = 0; i < 6; ++i) {
      auto name = "k" + std::to_string(i);
      auto now = one_.holder_of(key(name));
      auto& before = holders_[name];
      if (before && (!now || now->owner != before->owner)) {
        bool ended = may_end.contains(before->owner)
                     || (all_of_session && before->owner.session == ended_session);
        CHECK(ended);
        if (before->kind == ownership::strict)
          CHECK_FALSE(std::holds_alternative<expire_session>(what));
      }
      if (now && (!before || now->owner != before->owner)) {
        CHECK(now->grant.value == at_.value);
        CHECK(now->grant.value > tokens_[name]);
        tokens_[name] = now->grant.value;
      }
      if (now) {
        CHECK_FALSE(gone_.contains(now->owner));
        bool alive = one_.is_open(now->owner.session) || now->kind == ownership::strict;
        CHECK(alive);
      }
      before = now;
    }
  }

  generator random_;
  machine one_;
  machine two_;
  paxtor::index at_{0};
  ballot reign_{1, voter_id{1}};
  outcome last_;
  std::array<node, 4> nodes_;
  std::deque<command> flight_;
  std::vector<command> history_;
  std::map<session_id, std::uint64_t> zombies_;
  std::set<owner_id> gone_;
  std::map<std::string, std::optional<machine::holder>> holders_;
  std::map<std::string, std::uint64_t> tokens_;
};

} // namespace

TEST_CASE("random histories keep the promise, agree between replicas and leave nothing") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    harness h{seed};
    h.run(1500);
    h.finish();
  }
}
