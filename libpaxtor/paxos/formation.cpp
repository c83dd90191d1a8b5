#include "libpaxtor/paxos/formation.hpp"

#include <algorithm>
#include <utility>

#include "libpaxtor/base/check.hpp"
#include "libpaxtor/base/random.hpp"
#include "libpaxtor/paxos/bounds.hpp"

namespace paxtor::paxos {

namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t x) {
  return generator{hash ^ x}.next();
}

const member* find(const configuration& voters, const std::string& name) {
  for (const auto& who : voters.members) {
    if (who.name == name)
      return &who;
  }
  return nullptr;
}

} // namespace

cluster_id cluster_of(const configuration& voters) {
  auto members = voters.members;
  std::sort(members.begin(), members.end(),
            [](const member& x, const member& y) { return x.name < y.name; });
  std::uint64_t hash = members.size();
  for (const auto& who : members) {
    hash = mix(hash, who.name.size());
    for (char c : who.name)
      hash = mix(hash, static_cast<unsigned char>(c));
    hash = mix(hash, who.id.value);
  }
  return cluster_id{hash != 0 ? hash : 1};
}

formation::formation(std::string self_name, std::vector<std::string> names, const recovered& state,
                     std::map<std::string, std::string> addresses)
    : name_(std::move(self_name)),
      self_(state.self),
      names_(std::move(names)),
      addresses_(std::move(addresses)),
      pledge_(state.formation),
      safe_(state.formation) {
  std::sort(names_.begin(), names_.end());
  // L5: whoever has voted is formed, also if the crash came before that was written.
  const bool voted = state.promised.valid() || !state.accepted.empty() || state.snapshot;
  if (pledge_ && !pledge_->formed && voted)
    write_down(pledge_->cluster, pledge_->voters, true);
  consider();
}

void formation::step(const formation_report& peer) {
  const bool initial = std::binary_search(names_.begin(), names_.end(), peer.name);
  const bool sound = peer.pledged.valid()
                       ? usable(peer.voters) && cluster_of(peer.voters) == peer.pledged
                       : !peer.formed;
  // Whoever has formed a cluster with this name in it may be known by another name than we expect:
  // the voters were replaced since.
  const bool ours = initial || (peer.formed && find(peer.voters, name_) != nullptr);
  if (!ours || peer.name == name_ || !peer.voter.valid() || peer.voter == self_ || !sound) {
    ++dropped_;
    return;
  }
  if (initial)
    heard_[peer.name] = peer;
  if (peer.formed)
    hear_formed(peer);
  consider();
}

void formation::hear_formed(const formation_report& peer) {
  if (outsider_ || (pledge_ && pledge_->formed))
    return;
  const auto* me = find(peer.voters, name_);
  // L5: formed with us means that we pledged it, durably. A store that does not know has lost that,
  // and perhaps more.
  if (me != nullptr && me->id == self_ && !pledge_) {
    outsider_ = true;
    foreign_ = write_formation{peer.pledged, peer.voters, true};
    return;
  }
  // Another pledge is given up only for this: it can never decide, for this peer will not join it.
  // If the cluster does not name our voter_id, this store is new to it: a standby, without a vote.
  write_down(peer.pledged, peer.voters, true);
}

void formation::heard_voters(const configuration& current) {
  if (!pledge_ && current.contains(self_)) {
    outsider_ = true;
    foreign_ = write_formation{cluster_id{}, current, true};
  }
}

void formation::heard_paxos(cluster_id id) {
  if (!outsider_ && pledge_ && !pledge_->formed && pledge_->cluster == id)
    write_down(pledge_->cluster, pledge_->voters, true);
}

void formation::consider() {
  if (outsider_ || (pledge_ && pledge_->formed))
    return;
  // A standby pledges nothing.
  if (!std::binary_search(names_.begin(), names_.end(), name_))
    return;
  configuration now;
  for (const auto& name : names_) {
    const auto pos = heard_.find(name);
    if (name != name_ && pos == heard_.end())
      return;
    const auto address = addresses_.find(name);
    now.members.push_back({name == name_ ? self_ : pos->second.voter, name,
                           address != addresses_.end() ? address->second : std::string{}});
  }
  // Two names with one store make no cluster.
  if (!usable(now))
    return;
  const auto cluster = cluster_of(now);
  if (!pledge_ || pledge_->cluster != cluster) {
    write_down(cluster, std::move(now), false);
    return;
  }
  // The own pledge must be durable before it counts, as the others' were before they told.
#ifdef PAXTOR_CANARY_FORMED_BY_ONE_PLEDGE
  if (quiet())
#else
  if (quiet() && std::all_of(names_.begin(), names_.end(), [this](const auto& name) {
        return alike(name);
      }))
#endif
    write_down(pledge_->cluster, pledge_->voters, true);
}

bool formation::alike(const std::string& name) const {
  if (name == name_)
    return true;
  const auto pos = heard_.find(name);
  return pos != heard_.end() && pledge_ && pos->second.pledged == pledge_->cluster;
}

void formation::write_down(cluster_id cluster, configuration voters, bool formed) {
  pledge_ = write_formation{cluster, std::move(voters), formed};
  last_write_ = last_write_.next();
  writes_.push_back(write{last_write_, {*pledge_}});
}

void formation::persisted(write_id id) {
  PAXTOR_CHECK("I3", id <= last_write_);
  durable_ = std::max(durable_, id);
  if (quiet())
    safe_ = pledge_;
  consider();
}

std::vector<write> formation::take_writes() {
  return std::exchange(writes_, {});
}

formation_report formation::report() const {
  formation_report result{name_, self_, {}, {}, false};
  // While another pledge is being written neither is told: the old one is given up, the new one is
  // not durable.
  if (safe_ && pledge_->cluster == safe_->cluster) {
    result.pledged = safe_->cluster;
    result.voters = safe_->voters;
    result.formed = safe_->formed;
  }
  return result;
}

formation::phase formation::state() const {
  if (outsider_)
    return phase::outsider;
  if (!pledge_)
    return phase::gathering;
  return pledge_->formed && quiet() ? phase::formed : phase::pledged;
}

cluster_id formation::cluster() const {
  if (foreign_)
    return foreign_->cluster;
  return pledge_ ? pledge_->cluster : cluster_id{};
}

const configuration& formation::voters() const {
  if (foreign_)
    return foreign_->voters;
  return pledge_ ? pledge_->voters : none_;
}

std::vector<std::string> formation::waiting_for() const {
  std::vector<std::string> result;
  if (outsider_ || (pledge_ && pledge_->formed))
    return result;
  for (const auto& name : names_) {
    if (name == name_)
      continue;
    if (heard_.count(name) == 0 || (pledge_ && !alike(name)))
      result.push_back(name);
  }
  return result;
}

} // namespace paxtor::paxos
