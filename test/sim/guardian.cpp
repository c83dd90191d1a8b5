#include "test/sim/guardian.hpp"

#include <chrono>
#include <utility>

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/registry/commands.hpp"

namespace paxtor::sim {

using namespace std::chrono_literals;

namespace {

/// Nobody: answers to it are dropped.
constexpr node_id guardian_node{0x6a6a6a6a6a6a6a6aULL};

} // namespace

void guardian::process_ended(const process& host) {
  if (random_.chance(all_.how.guardian_percent))
    certify_later(host.number(), host.dead_sessions(), 3);
}

void guardian::certify_later(process_number host, std::set<session_id> sessions, unsigned times) {
  if (times == 0)
    return;
  all_.events.after(draw(random_, 100us, all_.how.ttl / 4),
                    [this, host, sessions = std::move(sessions), times] {
                      certify(host, sessions);
                      certify_later(host, sessions, times - 1);
                    });
}

void guardian::certify(process_number host, const std::set<session_id>& sessions) {
  if (sessions.empty())
    return;
  cluster::submit proofs;
  for (auto s : sessions)
    proofs.commands.push_back(encode(registry::command{
      registry::close_session{s, registry::end_reason::process_died, "signal 9"}}));
  all_.note(host, "guardian of p" + std::to_string(host) + " certifies "
                    + std::to_string(sessions.size()) + " sessions");
  for (auto& p : processes_)
    if (p->alive() && p->votes())
      all_.net.send(host, p->number(),
                    cluster::node_frame{cluster_id{1}, guardian_node, voter_id{1}, proofs});
}

void guardian::certify_all() {
  for (auto& p : processes_) {
    certify(p->number(), p->dead_sessions());
    // A node that left without reaching anybody: its program ends, which is a proof as well.
    if (p->alive() && p->node().ended())
      certify(p->number(), p->node().sessions());
  }
  all_.events.after(std::max<duration>(all_.how.ttl / 2, 200ms), [this] { certify_all(); });
}

} // namespace paxtor::sim
