#include "test/sim/links.hpp"

#include <chrono>

namespace paxtor::sim {

using namespace std::chrono_literals;

std::uint64_t links::reachable_life(const process& node, const process& voter) const {
  if (!node.alive() || !voter.alive() || !voter.votes())
    return 0;
  if (all_.net.is_cut(node.number(), voter.number())
      || all_.net.is_cut(voter.number(), node.number()))
    return 0;
  return voter.life();
}

void links::refresh() {
  for (auto& node : processes_)
    for (auto& voter : processes_) {
      if (!node->alive() || !voter->ever_voted())
        continue;
      auto& told = told_[{node->number(), voter->number()}];
      if (told.node_life != node->life())
        told = told_state{node->life()};
      if (told.voter_life == reachable_life(*node, *voter))
        continue;
      auto cut = voter->alive() && voter->votes() && told.voter_life == voter->life();
      // A black hole: no reset comes, so the link looks up all the while.
      if (cut && random_.chance(50))
        continue;
      auto wait = cut ? draw(random_, 0us, all_.how.ttl / 2) : draw(random_, 0us, 20ms);
      node->later(wait, [this, n = node.get(), v = voter.get()] { tell(*n, *v); });
    }
}

void links::tell(process& node, process& voter) {
  auto& told = told_[{node.number(), voter.number()}];
  auto reached = reachable_life(node, voter);
  if (told.node_life != node.life() || told.voter_life == reached)
    return;
  auto before = told;
  told.voter_life = reached;
  told.voter = reached != 0 ? voter.voter().id() : voter_id{};
  if (before.voter_life != 0)
    node.node().link(before.voter, false);
  if (reached != 0)
    node.node().link(told.voter, true);
}

} // namespace paxtor::sim
