#include "libpaxtor/registry/wait_graph.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

namespace paxtor::registry {

namespace {

enum class progress { more, exhausted, met };

/// Breadth first over "waits for". Finds the path to `goal`.
class forward_search {
public:
  forward_search(const lock_graph& graph, owner_it goal, const std::vector<lock_it>& wanted)
      : graph_(graph), goal_(goal) {
    for (auto key : wanted)
      add_segment(goal, key, key->second.queue ? key->second.queue->end() : place_it{},
                  index{~std::uint64_t{0}});
  }

  progress step() {
    if (open_.empty())
      return progress::exhausted;
    auto& here = open_.front();
    owner_it next = graph_.no_owner;
    if (!here.holder_done) {
      here.holder_done = true;
      next = here.key->second.who;
    } else if (here.key->second.queue && here.at != here.stop) {
      next = here.at->who;
      ++here.at;
    } else {
      open_.pop_front();
      return progress::more;
    }
    if (next == graph_.no_owner || next == here.from)
      return progress::more;
    if (next == goal_) {
      last_ = {here.from, here.key};
      return progress::met;
    }
    auto from = here.from;
    auto key = here.key;
    if (parents_.emplace(next->first, via{from, key}).second)
      expand(next);
    return progress::more;
  }

  /// REQUIRES: step() said met.
  [[nodiscard]] std::vector<cycle_hop> path() const {
    std::vector<cycle_hop> result;
    auto hop = last_;
    for (;;) {
      result.push_back({hop.from->first, hop.key});
      if (hop.from == goal_)
        break;
      hop = parents_.at(hop.from->first);
    }
    std::reverse(result.begin(), result.end());
    return result;
  }

private:
  struct via {
    owner_it from;
    lock_it key;
  };

  /// The owner of `key` and the places in [at, stop): what `from` waits for there.
  struct segment {
    owner_it from;
    lock_it key;
    place_it at;
    place_it stop;
    bool holder_done = false;
  };

  struct mark {
    place_it upto;
    index since;
  };

  void expand(owner_it who) {
    if (!who->second.extra)
      return;
    for (const auto& req : who->second.extra->waits) {
      for (const auto& x : req->missing)
        add_segment(who, x.key, x.where, x.where->since);
    }
  }

  void add_segment(owner_it from, lock_it key, place_it stop, index since) {
    auto [seen, fresh] = walked_.try_emplace(&*key, mark{stop, since});
    if (fresh) {
      auto begin = key->second.queue ? key->second.queue->begin() : place_it{};
      open_.push_back({from, key, begin, stop});
    } else if (seen->second.since < since) {
      open_.push_back({from, key, seen->second.upto, stop, true});
      seen->second = mark{stop, since};
    }
  }

  lock_graph graph_;
  owner_it goal_;
  std::deque<segment> open_;
  std::map<owner_id, via> parents_;
  // Asked for membership only, never walked: the order of addresses decides nothing.
  std::map<const void*, mark> walked_;
  via last_{};
};

/// Who waits, directly or not, for `start`? Met: one of those that `start` is about to wait for.
class backward_search {
public:
  backward_search(const lock_graph& graph, owner_it start, const std::vector<lock_it>& wanted)
      : graph_(graph), wanted_(wanted) {
    seen_.insert(start->first);
    expand(start);
  }

  progress step() {
    if (!open_.empty()) {
      auto& here = open_.back();
      if (here.at == here.stop) {
        open_.pop_back();
        return progress::more;
      }
      auto next = here.at->who;
      ++here.at;
      if (!seen_.insert(next->first).second)
        return progress::more;
      if (is_target(next))
        return progress::met;
      expand(next);
      return progress::more;
    }
    if (!holders_.empty()) {
      auto& here = holders_.back();
      auto key = here.next;
      if (key == graph_.no_lock || here.contended == 0) {
        holders_.pop_back();
        return progress::more;
      }
      here.next = key->second.next;
      if (key->second.queue) {
        --here.contended;
        add_segment(key, key->second.queue->begin(), index{0});
      }
      return progress::more;
    }
    return progress::exhausted;
  }

private:
  /// The places in [at, stop): all wait for one that was seen.
  struct segment {
    place_it at;
    place_it stop;
  };

  struct holder {
    lock_it next;
    std::uint32_t contended;
  };

  struct mark {
    place_it from;
    index since;
  };

  void expand(owner_it who) {
    if (who->second.contended != 0)
      holders_.push_back({who->second.held, who->second.contended});
    if (!who->second.extra)
      return;
    for (const auto& req : who->second.extra->waits) {
      for (const auto& x : req->missing)
        add_segment(x.key, std::next(x.where), x.where->since.next());
    }
  }

  /// `since` is at or below that of `at`, and above that of the place before.
  void add_segment(lock_it key, place_it at, index since) {
    auto [seen, fresh] = walked_.try_emplace(&*key, mark{at, since});
    if (fresh) {
      open_.push_back({at, key->second.queue->end()});
    } else if (since < seen->second.since) {
      open_.push_back({at, seen->second.from});
      seen->second = mark{at, since};
    }
  }

  [[nodiscard]] bool is_target(owner_it who) const {
    for (auto key : wanted_) {
      if (key->second.who == who)
        return true;
    }
    if (!who->second.extra)
      return false;
    for (const auto& req : who->second.extra->waits) {
      for (const auto& x : req->missing) {
        if (std::find(wanted_.begin(), wanted_.end(), x.key) != wanted_.end())
          return true;
      }
    }
    return false;
  }

  lock_graph graph_;
  const std::vector<lock_it>& wanted_;
  std::vector<segment> open_;
  std::vector<holder> holders_;
  std::set<owner_id> seen_;
  std::map<const void*, mark> walked_;
};

} // namespace

std::vector<cycle_hop> find_cycle(const lock_graph& graph, owner_it who,
                                  const std::vector<lock_it>& wanted) {
#ifdef PAXTOR_CANARY_CYCLES_WAIT
  return {};
#endif
  if (who == graph.no_owner || wanted.empty())
    return {};
  // Nobody waits for an owner whose locks nobody wants and who stands in no queue.
  if (who->second.contended == 0 && (!who->second.extra || who->second.extra->waits.empty()))
    return {};
  forward_search forward{graph, who, wanted};
  backward_search backward{graph, who, wanted};
  auto behind = progress::more;
  for (;;) {
    auto ahead = forward.step();
    if (ahead == progress::exhausted)
      return {};
    // The path is always the forward search's own, so that every replica names the same cycle.
    if (ahead == progress::met)
      return forward.path();
    if (behind == progress::more)
      behind = backward.step();
    if (behind == progress::exhausted)
      return {};
  }
}

} // namespace paxtor::registry
