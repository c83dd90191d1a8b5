#include "actors/outbox.hpp"

#include <utility>

#include <caf/send.hpp>

#include "libpaxtor/cluster/frame.hpp"

namespace paxtor::actors {

outbox::outbox(voter_id self, cluster_id cluster, colleagues own, std::shared_ptr<net::peers> book)
    : self_(self), cluster_(cluster), own_(std::move(own)), book_(std::move(book)) {}

const caf::actor& outbox::own(paxos::role role) const {
  switch (role) {
    case paxos::role::acceptor:
      return own_.acceptor;
    case paxos::role::proposer:
      return own_.proposer;
    case paxos::role::learner:
      return own_.learner;
  }
  return own_.supervisor;
}

void outbox::send(std::vector<paxos::outgoing> all) const {
  for (auto& one : all) {
    auto local = std::erase(one.to, self_) > 0;
    if (!one.to.empty()) {
      // Encoded once: without `to` the bytes are the same for all.
      cluster::paxos_frame frame{cluster_, self_, one.to.size() == 1 ? one.to.front() : voter_id{},
                                 one.to_role, local ? one.what : std::move(one.what)};
      auto wrapped =
        net::peers::wrap(cluster::encode_frame(std::move(frame), book_->version_for(one.to)));
      for (auto to : one.to)
        book_->to_voter(to, one.to_role, wrapped);
    }
    if (local)
      caf::anon_send(own(one.to_role), own_message{std::move(one.what)});
  }
}

} // namespace paxtor::actors
