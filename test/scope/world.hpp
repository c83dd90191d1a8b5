#pragma once

/// \file
/// The whole: three sites, the network, a node with its lease. What may happen next, what comes of
/// it, and what must never be.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "test/scope/site.hpp"

namespace paxtor::scope {

/// All that there is at one moment. What was sent stays in `network`: it may arrive at any later
/// moment, in any order, any number of times, or never.
struct state {
  std::array<std::uint32_t, voters> sites{};
  message_set network;
  std::uint8_t ballots = 0;
  std::uint8_t crashes = 0;
  // The first session's node: renewals sent, answers on their way (bits), the last answered
  // renewal (0: the lease that it has at the start), and whether it has stopped its owner.
  std::uint8_t renewals = 0;
  std::uint8_t answers = 0;
  std::uint8_t basis = 0;
  std::uint8_t fenced = 0;

  bool operator==(const state&) const = default;
};

/// One step of the whole.
struct action {
  enum class kind : std::uint8_t {
    at_site, ///< `in` at `site`
    learn,   ///< `site` is asked by the learner of `in.what`
    renew,   ///< the node sends a renewal
    answer,  ///< the answer to renewal `in.what` arrives
    expire,  ///< time passes: `site` has been without a word of the node for a ttl
  };
  kind how = kind::at_site;
  std::uint8_t site = 0;
  input in;
};

class world {
public:
  explicit world(const bounds& limits);

  [[nodiscard]] const state& start() const { return start_; }

  /// All that can happen.
  void actions(const state& now, std::vector<action>& out);
  [[nodiscard]] state after(const state& now, const action& what);

  /// What is broken here; empty: nothing.
  [[nodiscard]] std::string broken(const state& now);

  [[nodiscard]] std::string describe(const action& what) const;
  [[nodiscard]] const site_table& sites() const { return sites_; }

  /// True if the key has been given away here.
  [[nodiscard]] bool granted(const state& now) const;

private:
  /// All that can be said of one slot in one ballot. What has been said is a matter of the state.
  struct votes {
    slot where;
    ballot at;
    /// The number of the acceptance of each voter, plus 1; 0: none was ever said.
    std::array<std::size_t, voters> accepted{};
    /// Proposals: the number of the message, and its value.
    std::vector<std::pair<std::size_t, const paxos::batch*>> proposals;
  };

  void site_actions(const state& now, std::uint8_t site, std::vector<action>& out);
  void begin_with_a_leader();
  /// Sees what was said for the first time in any state.
  void learn_messages();
  [[nodiscard]] votes& votes_of(slot where, ballot at);
  [[nodiscard]] std::string broken_log(const state& now);

  bounds limits_;
  site_table sites_;
  state start_;
  std::size_t seen_messages_ = 0;
  std::vector<votes> votes_;
  /// Slots decided before the exploration begins; nobody remembers the votes.
  slot decided_before_;
};

} // namespace paxtor::scope
