#pragma once

/// \file
/// Ids as a reader knows them: voters and nodes by their processes' names, actors as node/actor.

#include <map>
#include <string>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/cluster/agent.hpp"
#include "libpaxtor/cluster/frame.hpp"
#include "libpaxtor/paxos/messages.hpp"
#include "libpaxtor/registry/commands.hpp"

namespace paxtor::transcripts {

class names {
public:
  void learn(voter_id id, const std::string& process) { voters_[id] = process; }
  void learn(node_id id, const std::string& process) { nodes_[id] = process; }
  void learn(session_id id, node_id node) { sessions_[id] = node; }

  [[nodiscard]] std::string of(voter_id id) const;
  [[nodiscard]] std::string of(node_id id) const;
  /// "x, session 4".
  [[nodiscard]] std::string of(session_id id) const;
  /// "x/a1".
  [[nodiscard]] std::string of(session_id id, local_actor_id actor) const;
  /// "2 of b": the round, and whose it is.
  [[nodiscard]] std::string of(ballot at) const;

  /// One entry of the log.
  [[nodiscard]] std::string describe(const paxos::entry& what) const;
  [[nodiscard]] std::string describe(const registry::command& what) const;
  /// How a request ended.
  [[nodiscard]] std::string describe(const cluster::completion& what) const;
  /// The first word: what `hold` can be told.
  [[nodiscard]] static std::string kind_of(const cluster::frame& what);

private:
  [[nodiscard]] std::string node_of(session_id id) const;

  std::map<voter_id, std::string> voters_;
  std::map<node_id, std::string> nodes_;
  std::map<session_id, node_id> sessions_;
};

[[nodiscard]] std::string text_of(const std::vector<term>& keys);

} // namespace paxtor::transcripts
