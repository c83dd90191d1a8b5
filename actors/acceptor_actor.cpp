#include "actors/acceptor_actor.hpp"

#include <utility>

#include <nlohmann/json.hpp>

namespace paxtor::actors {

void acceptor_actor::start(const role_start& begin) {
  role_.emplace(*begin.state);
}

void acceptor_actor::step(voter_id from, const paxos::message& what) {
  role_->step(from, what);
}

void acceptor_actor::persisted(write_id upto) {
  role_->persisted(upto);
}

void acceptor_actor::flush() {
  // One write for all that arrived. What rests on it is held inside the role until `persisted` (L1,
  // I3).
  for (;;) {
    auto out = role_->take_output();
    if (out.send.empty() && out.writes.empty())
      return;
    send_out(std::move(out.send));
    write(std::move(out.writes));
  }
}

std::string acceptor_actor::status() const {
  nlohmann::json result;
  result["dropped_frames"] = dropped();
  if (role_) {
    result["promised"] = to_string(role_->promised());
    result["slots_held"] = role_->slots_held();
    result["truncated_upto"] = role_->truncated_upto().value;
    result["dropped"] = role_->dropped();
  }
  return result.dump();
}

} // namespace paxtor::actors
