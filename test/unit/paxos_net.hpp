#pragma once

/// \file
/// A small network of voters for the tests of the log: one seed decides everything. Loses, repeats
/// and reorders messages, cuts links, delays writes, crashes and restarts voters, and checks
/// agreement at every step.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/base/random.hpp"
#include "libpaxtor/paxos/batches.hpp"
#include "libpaxtor/paxos/replica.hpp"
#include "libpaxtor/paxos/visit.hpp"

namespace paxtor::paxos::test {

using std::chrono::milliseconds;

/// What a store keeps after these writes.
inline void apply_write(recovered& store, const write& what) {
  for (const auto& op : what.ops)
    std::visit(overloaded{
                 [&](const write_promise& x) { store.promised = x.promised; },
                 [&](const write_accepted& x) { store.accepted[x.where] = x.value; },
                 [&](const write_truncate& x) {
                   store.truncated_upto = x.upto;
                   store.accepted.erase(store.accepted.begin(), store.accepted.upper_bound(x.upto));
                 },
                 [&](const write_snapshot& x) { store.snapshot = x; },
                 [&](const write_formation& x) { store.formation = x; },
               },
               op);
}

/// The three roles run apart, as actors run them: each has a mailbox, and whose turn it is, is
/// random. Order is kept between one sender and one receiver only. Same interface as `replica`.
class loose_voter {
public:
  loose_voter(const recovered& state, configuration voters, timing times, limits bounds,
              generator random, time_point now)
      : self_(state.self),
        random_(random.fork()),
        acceptor_(state, bounds.promise_bytes),
        learner_(state.self, state, std::move(voters), times, bounds, now),
        proposer_(state.self, learner_.voters(), learner_.decided_upto(), acceptor_.promised(),
                  times, bounds, random, now),
        now_(now) {}

  void step(time_point now, const envelope& what) {
    now_ = now;
    boxes_[{std::nullopt, what.to_role}].push_back({what.from, what.what});
  }
  void tick(time_point now) {
    now_ = now;
    learner_.tick(now);
    proposer_.tick(now);
  }
  bool propose(time_point now, entry what) {
    now_ = now;
    return proposer_.propose(std::move(what));
  }
  void confirm(time_point now, std::uint64_t id) { proposer_.confirm(now, id); }
  void persisted(time_point now, write_id id) {
    now_ = now;
    const auto [role_of, own] = ids_.at(id);
    role_of == role::acceptor ? acceptor_.persisted(own) : learner_.persisted(own);
  }
  void snapshot_made(time_point, slot upto, blob image) {
    learner_.snapshot_made(upto, std::move(image));
  }

  replica_output take_output() {
    replica_output out;
    for (auto turns = random_.below(12); turns > 0; --turns)
      one_turn(out);
    return out;
  }

  const leadership& state() const { return proposer_.state(); }
  const acceptor& get_acceptor() const { return acceptor_; }
  const learner& get_learner() const { return learner_; }

private:
  void one_turn(replica_output& out) {
    if (!boxes_.empty() && random_.chance(80)) {
      auto pos = boxes_.begin();
      std::advance(pos, static_cast<long>(random_.below(boxes_.size())));
      const auto to = pos->first.second;
      const auto [from, what] = std::move(pos->second.front());
      pos->second.pop_front();
      if (pos->second.empty())
        boxes_.erase(pos);
      if (to == role::acceptor)
        acceptor_.step(from, what);
      else if (to == role::proposer)
        proposer_.step(now_, from, what);
      else
        learner_.step(now_, from, what);
    }
    // The learner hands out last in its turn, so `install` and `decided` stay apart by turns.
    switch (random_.below(3)) {
      case 0: {
        auto part = acceptor_.take_output();
        route(out, role::acceptor, part.send);
        note(out, role::acceptor, part.writes);
        break;
      }
      case 1: {
        auto part = proposer_.take_output();
        route(out, role::proposer, part.send);
        for (auto& x : part.confirmations)
          out.confirmations.push_back(x);
        if (part.changed)
          out.changed = part.changed;
        break;
      }
      default: {
        auto part = learner_.take_output();
        route(out, role::learner, part.send);
        note(out, role::learner, part.writes);
        if (part.install) {
          out.install = part.install;
          out.decided.clear();
          out.want_snapshot.reset();
        }
        for (auto& x : part.decided)
          out.decided.push_back(std::move(x));
        if (part.want_snapshot)
          out.want_snapshot = part.want_snapshot;
      }
    }
  }

  void route(replica_output& out, role from, std::vector<outgoing>& all) {
    for (auto& what : all) {
      outgoing rest{{}, what.to_role, what.what};
      for (auto to : what.to) {
        if (to == self_)
          boxes_[{from, what.to_role}].push_back({self_, what.what});
        else
          rest.to.push_back(to);
      }
      if (!rest.to.empty())
        out.send.push_back(std::move(rest));
    }
  }

  void note(replica_output& out, role from, std::vector<write>& all) {
    for (auto& what : all) {
      last_write_ = last_write_.next();
      ids_[last_write_] = {from, what.id};
      what.id = last_write_;
      out.writes.push_back(std::move(what));
    }
  }

  voter_id self_;
  generator random_;
  acceptor acceptor_;
  learner learner_;
  proposer proposer_;
  time_point now_;
  std::map<std::pair<std::optional<role>, role>, std::deque<std::pair<voter_id, message>>> boxes_;
  std::map<write_id, std::pair<role, write_id>> ids_;
  write_id last_write_;
};

/// How badly the network and the disks behave.
struct weather {
  std::uint64_t lose_percent = 0;
  std::uint64_t repeat_percent = 0;
  std::uint64_t latency_us = 500;
  std::uint64_t jitter_us = 0;
  std::uint64_t disk_us = 200;
  /// Of each direction of each link; 0: as many as come.
  std::uint64_t bytes_per_ms = 0;
};

template <class Voter>
class network {
public:
  struct node {
    member who;
    recovered store;
    std::unique_ptr<Voter> voter;
    std::deque<std::pair<time_point, write>> writing;
    time_point tick_at;
    // The registry: how many entries, and a hash of them all in order.
    index applied;
    std::uint64_t hash = 0;
    /// A snapshot that is being made, while the log moves on.
    std::optional<snapshot_task> making;
    std::vector<std::pair<index, entry>> log;
    std::vector<proposer_output::confirmed> confirmed;
    std::uint64_t installs = 0;
  };

  network(std::uint64_t seed, std::size_t voters, limits bounds = {}, timing times = {})
      : random_(seed), bounds_(bounds), times_(times) {
    for (std::size_t i = 0; i < voters; ++i)
      voters_.members.push_back({voter_id{100 + i}, std::string{static_cast<char>('a' + i)}});
    for (const auto& who : voters_.members)
      add(who);
  }

  std::size_t add(const member& who) {
    nodes_.emplace_back();
    nodes_.back().who = who;
    nodes_.back().store.self = who.id;
    start(nodes_.size() - 1);
    return nodes_.size() - 1;
  }

  void start(std::size_t i) {
    auto& x = nodes_[i];
    x.applied = {};
    x.hash = 0;
    x.tick_at = now_ + milliseconds{static_cast<long>(random_.below(25))};
    x.voter = std::make_unique<Voter>(x.store, voters_, times_, bounds_, random_.fork(), now_);
    collect(i);
  }

  /// Loses what was not yet durable.
  void crash(std::size_t i) {
    nodes_[i].voter.reset();
    nodes_[i].writing.clear();
    nodes_[i].making.reset();
  }

  void cut(std::size_t i, std::size_t j) { cuts_.insert({std::min(i, j), std::max(i, j)}); }
  void heal() { cuts_.clear(); }
  void heal(std::size_t i, std::size_t j) { cuts_.erase({std::min(i, j), std::max(i, j)}); }

  bool propose(std::size_t i, const std::string& data) {
    auto& x = nodes_[i];
    if (!x.voter || !x.voter->propose(now_, entry{entry_kind::command, data}))
      return false;
    collect(i);
    return true;
  }

  bool propose_entry(std::size_t i, entry what) {
    const bool taken = nodes_[i].voter->propose(now_, std::move(what));
    collect(i);
    return taken;
  }

  void confirm(std::size_t i, std::uint64_t id) {
    nodes_[i].voter->confirm(now_, id);
    collect(i);
  }

  std::optional<std::size_t> leader() const {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (!nodes_[i].voter || !nodes_[i].voter->state().leading)
        continue;
      if (!best || nodes_[*best].voter->state().at < nodes_[i].voter->state().at)
        best = i;
    }
    return best;
  }

  /// Runs until `done` or until `most` has passed; true if done.
  template <class Done>
  bool run_until(Done done, duration most = std::chrono::seconds{10}) {
    const auto end = now_ + most;
    while (!done()) {
      if (now_ >= end)
        return false;
      advance();
    }
    return true;
  }

  void run(duration how_long) {
    (void)run_until([] { return false; }, how_long);
  }

  void advance() {
    now_ += std::chrono::microseconds{250};
    std::deque<std::pair<time_point, envelope>> due;
    for (auto i = flying_.begin(); i != flying_.end() && i->first <= now_;) {
      due.push_back({i->first, std::move(i->second)});
      i = flying_.erase(i);
    }
    for (auto& [at, what] : due)
      arrive(what);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      auto& x = nodes_[i];
      if (!x.voter)
        continue;
      while (!x.writing.empty() && x.writing.front().first <= now_) {
        auto done = std::move(x.writing.front().second);
        x.writing.pop_front();
        apply_write(x.store, done);
        x.voter->persisted(now_, done.id);
      }
      if (x.tick_at <= now_) {
        x.tick_at = now_ + times_.tick;
        if (random_.chance(50))
          make_snapshot(x);
        x.voter->tick(now_);
      }
      collect(i);
    }
  }

  node& at(std::size_t i) { return nodes_[i]; }
  std::size_t size() const { return nodes_.size(); }
  weather& sky() { return sky_; }
  generator& random() { return random_; }
  time_point now() const { return now_; }
  const configuration& voters() const { return voters_; }
  std::uint64_t messages() const { return messages_; }

  /// True if every living node has applied this command.
  bool all_have(const std::string& data) const {
    for (const auto& x : nodes_) {
      if (x.voter && !has(x, data))
        return false;
    }
    return true;
  }

  static bool has(const node& x, const std::string& data) {
    for (const auto& [at, what] : x.log) {
      if (what.data == data)
        return true;
    }
    return false;
  }

private:
  std::optional<std::size_t> find(voter_id id) const {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].who.id == id)
        return i;
    }
    return std::nullopt;
  }

  void arrive(const envelope& what) {
    const auto to = find(what.to);
    const auto from = find(what.from);
    if (!to || !from || !nodes_[*to].voter)
      return;
    if (cuts_.count({std::min(*to, *from), std::max(*to, *from)}) != 0)
      return;
    nodes_[*to].voter->step(now_, what);
    collect(*to);
  }

  void post(const envelope& what, std::size_t bytes) {
    ++messages_;
    auto& free_at = free_at_[{what.from, what.to}];
    if (sky_.bytes_per_ms != 0)
      free_at = std::max(free_at, now_)
                + std::chrono::microseconds{static_cast<long>(bytes * 1000 / sky_.bytes_per_ms)};
    const auto leaves = std::max(free_at, now_);
    const int copies = 1 + (random_.chance(sky_.repeat_percent) ? 1 : 0);
    for (int i = 0; i < copies; ++i) {
      if (random_.chance(sky_.lose_percent))
        continue;
      const auto jitter = sky_.jitter_us != 0 ? random_.below(sky_.jitter_us) : 0;
      const auto delay = sky_.latency_us + jitter;
      flying_.emplace(leaves + std::chrono::microseconds{static_cast<long>(delay)}, what);
    }
  }

  void collect(std::size_t i) {
    auto& x = nodes_[i];
    auto out = x.voter->take_output();
    for (auto& what : out.send) {
      // Through the codec, so that every message is known to survive the wire.
      message copy;
      const auto bytes = encode(what.what);
      REQUIRE(decode(bytes, copy));
      for (auto to : what.to) {
        REQUIRE(to != x.who.id);
        post(envelope{x.who.id, to, what.to_role, copy}, bytes.size());
      }
    }
    for (auto& what : out.writes) {
      auto at = now_ + std::chrono::microseconds{static_cast<long>(sky_.disk_us)};
      if (!x.writing.empty())
        at = std::max(at, x.writing.back().first);
      x.writing.emplace_back(at, std::move(what));
    }
    if (out.install) {
      ++x.installs;
      x.applied = out.install->last;
      std::pair<std::uint64_t, std::uint64_t> image;
      REQUIRE(decode(out.install->image.view(), image));
      x.hash = image.second;
      REQUIRE(image.first == x.applied.value);
      check_hash(x);
    }
    for (auto& what : out.decided)
      apply(x, what);
    for (auto& what : out.confirmations)
      x.confirmed.push_back(what);
    if (out.want_snapshot)
      x.making = std::move(out.want_snapshot);
  }

  /// L4: of the snapshot before and the log since; it may be void by now.
  void make_snapshot(node& x) {
    if (!x.making)
      return;
    const auto task = *std::exchange(x.making, std::nullopt);
    std::pair<std::uint64_t, std::uint64_t> image;
    if (task.base)
      REQUIRE(decode(task.base->image.view(), image));
    for (const auto& value : task.since) {
      std::vector<entry> entries;
      REQUIRE(entries_of(value, entries));
      for (const auto& what : entries) {
        ++image.first;
        image.second = mix(image.second, what);
      }
    }
    REQUIRE(image.first == task.last.value);
    if (auto known = hashes_.find(task.last); known != hashes_.end())
      REQUIRE(known->second == image.second);
    x.voter->snapshot_made(now_, task.upto, blob{encode(image)});
  }

  static std::uint64_t mix(std::uint64_t hash, const entry& what) {
    for (char c : encode(what))
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return hash;
  }

  void apply(node& x, const decided_entry& what) {
    REQUIRE(what.at == x.applied.next());
    x.applied = what.at;
    x.hash = mix(x.hash, what.what);
    x.log.emplace_back(what.at, what.what);
    check_hash(x);
  }

  /// Agreement: whoever has applied so many entries has applied the same ones.
  void check_hash(const node& x) {
    auto [pos, added] = hashes_.try_emplace(x.applied, x.hash);
    REQUIRE(pos->second == x.hash);
  }

  generator random_;
  limits bounds_;
  timing times_;
  weather sky_;
  configuration voters_;
  std::deque<node> nodes_;
  std::set<std::pair<std::size_t, std::size_t>> cuts_;
  std::multimap<time_point, envelope> flying_;
  /// When the last message of a direction will have left.
  std::map<std::pair<voter_id, voter_id>, time_point> free_at_;
  std::map<index, std::uint64_t> hashes_;
  time_point now_{std::chrono::seconds{1}};
  std::uint64_t messages_ = 0;
};

/// Proposes at the leader, and waits until every living voter has it. Again if it got lost with the
/// leadership.
template <class Voter>
void commit(network<Voter>& x, const std::string& data) {
  for (int tries = 0; tries < 5 && !x.all_have(data); ++tries) {
    REQUIRE(x.run_until([&] { return x.leader() && x.propose(*x.leader(), data); }));
    (void)x.run_until([&] { return x.all_have(data); }, std::chrono::seconds{2});
  }
  REQUIRE(x.all_have(data));
}

} // namespace paxtor::paxos::test
