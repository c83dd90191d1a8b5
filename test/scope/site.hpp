#pragma once

/// \file
/// One voter as the exploration sees it: the real acceptor, proposer and learner, a store that is
/// slow, the registry behind the log, and the leader's rule of leases. Where each site is only a
/// number: what the same input does to the same site is worked out once.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "libpaxtor/paxos/acceptor.hpp"
#include "libpaxtor/paxos/learner.hpp"
#include "libpaxtor/paxos/proposer.hpp"
#include "test/scope/vocabulary.hpp"

namespace paxtor::scope {

/// What is explored, and how far.
struct bounds {
  /// Candidacies, over all sites; each is a ballot of its own.
  unsigned ballots = 2;
  /// Sites 1 to this many may lead. A lower number leaves out what is only a renaming.
  unsigned candidates = 2;
  /// Crashes, over all sites. With none, a write is durable at once: a slow disk then does nothing
  /// that a slow network does not.
  unsigned crashes = 1;
  /// Commands that each leader proposes beside its reign's own entry.
  unsigned commands = 1;
  /// Renewals that the first session's node sends; with `leases` only.
  unsigned renewals = 1;
  /// Sessions, leases and the fence, beside the log. Site 1 leads at the start.
  bool leases = false;
  /// Learners ask each other for what they miss.
  bool learning = false;
  /// Rejections arrive; else all are lost, and who was replaced never hears of it: the worse case.
  bool rejections = false;
  /// What a site says to its own roles passes through the network too; else it is taken at once,
  /// as class replica does.
  bool own_late = false;
  /// What promises show as decided is not proposed again, be it one slot; else it is, as only long
  /// runs are not.
  bool known_decided = false;
  /// Rules of leases that are taken out, to see them missed.
  bool without_barrier = false;
  bool without_confirmation = false;
};

/// What can happen to a site.
struct input {
  enum class kind : std::uint8_t {
    deliver,  ///< message `what`
    persist,  ///< its oldest write becomes durable
    crash,    ///< it starts again, with `what` of the writes that waited
    campaign, ///< it is promised in a pre-vote, and asks for promises
    command,  ///< it proposes something
    renewal,  ///< renewal number `what` arrives
    expire,   ///< it has heard nothing for a ttl, and proposes to expire the first session
  };
  kind how = kind::deliver;
  std::uint16_t what = 0;
  /// Renewals that have been sent by now, anywhere: the time of this happening, as far as it
  /// matters.
  std::uint8_t now = 0;

  auto operator<=>(const input&) const = default;
};

/// What came of it.
struct effect {
  std::uint32_t site = 0;
  std::vector<std::uint16_t> sent;
  /// Renewals that were answered: a set of bits.
  std::uint8_t answered = 0;
};

/// What the exploration may ask of a site without looking into it.
struct site_facts {
  std::uint8_t waiting = 0; ///< writes that are not durable
  bool may_campaign = false;
  bool leading = false;
  std::uint8_t commands = 0; ///< proposed
  bool expiring = false;
  /// Renewals that had been sent when it last heard the first session's node.
  std::uint8_t heard_at = 0;
  std::uint16_t registry = 0;
  slot decided_upto;
  /// The decided values from slot 1 on.
  std::vector<paxos::batch> decided;
};

/// All sites that occur.
class site_table {
public:
  explicit site_table(const bounds& limits);
  ~site_table();

  [[nodiscard]] std::uint32_t start(std::size_t which);
  [[nodiscard]] const effect& step(std::uint32_t site, const input& what);
  [[nodiscard]] const site_facts& facts(std::uint32_t site) const { return facts_[site]; }
  [[nodiscard]] const message_table& messages() const { return messages_; }
  /// The question of `site`'s learner for what it does not know, to the voter number `to`.
  [[nodiscard]] std::uint16_t question(std::uint32_t site, std::size_t to);
  [[nodiscard]] const registry_table& registries() const { return registries_; }
  [[nodiscard]] std::size_t size() const { return facts_.size(); }
  /// Steps of the roles that were really carried out.
  [[nodiscard]] std::size_t steps() const { return effects_.size(); }

private:
  struct site;

  [[nodiscard]] site make(const paxos::recovered& state) const;
  void carry_out(site& here, const input& what, effect& out);
  void settle(site& here, const input& what, effect& out);
  /// False: this message is lost, or nobody is there for it.
  [[nodiscard]] bool wanted(const paxos::envelope& what) const;
  void route(site& here, std::vector<paxos::outgoing>& all, effect& out);
  void deliver(site& here, voter_id from, paxos::role to, const paxos::message& what);
  void apply(site& here, const std::vector<paxos::decided_entry>& entries);
  void answer(site& here, std::uint64_t renewal, effect& out) const;
  [[nodiscard]] std::uint32_t number(site&& here);

  bounds limits_;
  message_table messages_;
  registry_table registries_;
  std::vector<std::unique_ptr<const site>> sites_;
  std::deque<site_facts> facts_;
  std::map<std::string, std::uint32_t> numbers_;
  std::map<std::pair<std::uint32_t, input>, effect> effects_;
};

} // namespace paxtor::scope
