#include "test/sim/guardian.hpp"

#include <chrono>
#include <utility>

namespace paxtor::sim {

using namespace std::chrono_literals;

namespace {

/// Nobody: answers to it are dropped.
constexpr node_id guardian_node{0x6a6a6a6a6a6a6a6aULL};

} // namespace

std::string make_secret(generator& random) {
  std::string result;
  while (result.size() < registry::min_secret_bytes)
    result.push_back(static_cast<char>(random.below(256)));
  return result;
}

void guardian::process_ended(const process& host) {
  if (random_.chance(all_.how.guardian_percent))
    certify_later(host.number(), host.ended_lives().back(), 3);
}

void guardian::certify_later(process_number host, const process::ended_life& life, unsigned times) {
  if (times == 0)
    return;
  all_.events.after(draw(random_, 100us, all_.how.ttl / 4), [this, host, life, times] {
    certify(host, life);
    certify_later(host, life, times - 1);
  });
}

void guardian::certify(process_number host, const process::ended_life& life) {
  all_.note(host, "guardian of p" + std::to_string(host) + " certifies the end of node "
                    + to_string(life.node));
  send(host, {life.node, {}, registry::end_reason::process_died, life.secret, "signal 9"});
}

void guardian::send(process_number from, const registry::certify_end& proof) {
  for (auto& p : processes_)
    if (p->alive() && p->votes())
      all_.net.send(
        from, p->number(),
        cluster::node_frame{cluster_id{1}, guardian_node, voter_id{1}, cluster::certify{proof}});
}

void guardian::forge(process& victim) {
  if (!victim.alive())
    return;
  registry::certify_end lie{
    victim.node().id(), {}, registry::end_reason::process_died, {}, "forged"};
  // A guess; the secret of an earlier life of the same process; that of another node, dead or not.
  auto& other = *processes_[random_.below(processes_.size())];
  if (random_.chance(30))
    lie.secret = make_secret(random_);
  else if (!victim.ended_lives().empty() && random_.chance(50))
    lie.secret = victim.ended_lives().back().secret;
  else if (other.alive() && &other != &victim)
    lie.secret = other.node().secret();
  else
    lie.secret = make_secret(random_);
  if (random_.chance(20))
    lie.proof = registry::end_reason::store_reopened;
  // Neither does an operator's word end what the cluster hears of. (Once silence has ended it, the
  // word is taken, and strict owners that live on after all are the operator's fault.)
  if (auto open = victim.node().session();
      open.valid() && all_.how.strict_percent == 0 && random_.chance(20)) {
    lie.proof = registry::end_reason::forced;
    lie.session = open;
  }
  ++all_.counts.forgeries;
  all_.note(victim.number(), "somebody forges the end of p" + std::to_string(victim.number()));
  send(other.number(), lie);
}

void guardian::certify_all() {
  for (auto& p : processes_) {
    for (const auto& life : p->ended_lives())
      certify(p->number(), life);
    // A node that left without reaching anybody: its program ends, which is a proof as well.
    if (p->alive() && p->node().ended())
      certify(p->number(), {p->node().id(), p->node().secret()});
  }
  all_.events.after(std::max<duration>(all_.how.ttl / 2, 200ms), [this] { certify_all(); });
}

} // namespace paxtor::sim
