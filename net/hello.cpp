#include "net/hello.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace paxtor::net {

namespace {

std::string quoted(const std::string& text) {
  return "'" + text + "'";
}

std::string listed(std::vector<std::string> names) {
  std::string result;
  for (const auto& name : names) {
    if (!result.empty())
      result += ", ";
    result += name;
  }
  return result;
}

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names;
}

std::string versions_of(const cluster::hello_frame& who) {
  const auto [low, high] = who.versions;
  return low == high ? "version " + std::to_string(low)
                     : "versions " + std::to_string(low) + " to " + std::to_string(high);
}

} // namespace

verdict judge(const cluster::hello_frame& mine, const cluster::hello_frame& theirs,
              std::string& why) {
  if (mine.node == theirs.node)
    return verdict::ourselves;
  const auto them =
    quoted(theirs.node_name) + (theirs.endpoint.empty() ? "" : " at " + theirs.endpoint);
  if (!theirs.node.valid() || theirs.node_name.empty()) {
    why = "a node without a name or an id asked for a link: it runs another version";
    return verdict::refuse;
  }
  if (!cluster::meet(mine.versions, theirs.versions)) {
    // One version at a time: whoever is behind comes first.
    const auto behind = mine.versions.max < theirs.versions.min ? quoted(mine.node_name) : them;
    why = "node " + them + " speaks " + versions_of(theirs) + " of the wire, this one ("
          + quoted(mine.node_name) + ") " + versions_of(mine)
          + ": nodes are upgraded one version at " + "a time; first run " + behind
          + ", and all others like it, with the release that follows " + "theirs";
    return verdict::refuse;
  }
  if (mine.cluster_name != theirs.cluster_name) {
    why = "node " + them + " belongs to cluster " + quoted(theirs.cluster_name) + ", this one ("
          + quoted(mine.node_name) + ") to " + quoted(mine.cluster_name)
          + ": correct the address, or the cluster's name";
    return verdict::refuse;
  }
  if (mine.node_name == theirs.node_name) {
    why = "two nodes are named " + quoted(mine.node_name) + ": this one and " + them
          + "; give each node a name of its own";
    return verdict::refuse;
  }
  if (mine.ttl_us != theirs.ttl_us) {
    why = "node " + them + " has a ttl of " + std::to_string(theirs.ttl_us / 1000)
          + " ms, this one (" + quoted(mine.node_name) + ") of "
          + std::to_string(mine.ttl_us / 1000) + " ms: start all nodes with the same ttl";
    return verdict::refuse;
  }
  if (mine.cluster.valid() && theirs.cluster.valid() && mine.cluster != theirs.cluster) {
    why = "node " + them + " is in another cluster of the same name (id "
          + to_string(theirs.cluster) + ", here " + to_string(mine.cluster)
          + "): two sets of voters were formed; stop one of them";
    return verdict::refuse;
  }
  // Who has formed knows its voters from the log, whatever its settings say; one that has not will
  // be its standby.
  const bool forming = !mine.cluster.valid() && !theirs.cluster.valid();
  const bool both = !mine.initial_voters.empty() && !theirs.initial_voters.empty();
  if (forming && both && sorted(mine.initial_voters) != sorted(theirs.initial_voters)) {
    why = "voter " + them + " starts from the voters " + listed(sorted(theirs.initial_voters))
          + ", this one (" + quoted(mine.node_name) + ") from "
          + listed(sorted(mine.initial_voters)) + ": give all of them the same list";
    return verdict::refuse;
  }
  return verdict::link;
}

} // namespace paxtor::net
