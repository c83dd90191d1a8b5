#include "test/sim/election_trial.hpp"

#include <algorithm>

namespace paxtor::sim {

namespace {

/// Longest election timeouts that each cut lasts.
constexpr int timeouts = 8;
/// Changes of the leader that late messages may cause in that time. Where nobody asks before it
/// raises its ballot there is one in each timeout.
constexpr int most_changes = 3;

} // namespace

election_trial::election_trial(scene& all, process_list& processes, links& reach, generator random,
                               moment since)
    : all_(all), processes_(processes), links_(reach), random_(random) {
  // What was slow then has arrived by now, and holds up nothing that was sent later.
  if (all_.how.slow_percent != 0 && all_.events.now() < since + all_.how.delay_slow)
    run_for(since + all_.how.delay_slow - all_.events.now());
}

process* election_trial::leader() const {
  process* result = nullptr;
  for (const auto& p : processes_)
    if (p->alive() && p->votes() && p->voter().leads()
        && (result == nullptr || result->voter().get().state().at < p->voter().get().state().at))
      result = p.get();
  return result;
}

std::vector<process*> election_trial::others(process& leads) const {
  std::vector<process*> result;
  const auto& voters = leads.voter().voters();
  for (const auto& p : processes_)
    if (p.get() != &leads && p->alive() && p->votes() && voters.contains(p->voter().id()))
      result.push_back(p.get());
  // A store may be lost for good: then none of those that are left can be done without.
  if (!voters.contains(leads.voter().id()) || result.size() < voters.majority())
    result.clear();
  return result;
}

void election_trial::run_for(duration time) {
  for (auto end = all_.events.now() + time; !all_.judge.closed() && all_.events.now() < end;)
    all_.events.run_next();
}

void election_trial::heal() {
  all_.net.calm();
  links_.refresh();
}

void election_trial::stuck(const std::string& what) {
  all_.judge.hear(finding{finding_kind::stuck, "election", what});
}

void election_trial::one_link() {
  auto* leads = leader();
  if (leads == nullptr)
    return;
  const auto rest = others(*leads);
  if (rest.empty())
    return;
  auto& other = *rest[random_.below(rest.size())];
  all_.note(other.number(),
            "a lasting cut between " + leads->name() + ", which leads, and " + other.name());
  all_.net.cut(leads->number(), other.number());
  all_.net.cut(other.number(), leads->number());
  links_.refresh();
  auto changes = 0;
  auto before = leads->voter().get().state().at;
  for (auto i = 0; i < 10 * timeouts; ++i) {
    run_for(all_.times.election_max / 10);
    if (auto* now = leader(); now != nullptr && now->voter().get().state().at != before) {
      before = now->voter().get().state().at;
      ++changes;
    }
  }
  if (changes > most_changes)
    stuck("with one link cut, between the leader and one other voter, the leader changed "
          + std::to_string(changes) + " times in " + std::to_string(timeouts)
          + " election timeouts");
  heal();
}

void election_trial::deaf_leader() {
  auto* deaf = leader();
  if (deaf == nullptr || others(*deaf).empty())
    return;
  // A disk that hung before all was calm may still be at the write of that time.
  const auto busy = [](const auto& p) {
    return p->alive() && p->votes() && !p->voter().disk_idle();
  };
  for (const auto end = all_.events.now() + 8 * all_.how.ttl;
       all_.events.now() < end && std::any_of(processes_.begin(), processes_.end(), busy);)
    run_for(all_.times.tick);
  deaf = leader();
  if (deaf == nullptr || others(*deaf).empty())
    return;
  all_.note(deaf->number(), deaf->name() + ", which leads, hears nobody any more");
  for (const auto& p : processes_)
    if (p.get() != deaf)
      all_.net.cut(p->number(), deaf->number());
  links_.refresh();
  // A candidate needs its own promise, and that stands behind all that its disk has yet to write.
  const auto patience = all_.times.election_max + 10 * all_.how.write_max;
  for (auto i = 0; i < 10 * timeouts; ++i) {
    run_for(patience / 10);
    const auto* now = leader();
    if (all_.judge.closed() || (now != nullptr && now != deaf))
      return heal();
  }
  stuck(deaf->name() + " leads and hears nobody, and nobody replaced it within "
        + std::to_string(timeouts) + " election timeouts and their writes");
}

} // namespace paxtor::sim
