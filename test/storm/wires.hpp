#pragma once

/// \file
/// What the network does while faults are on: who hears whom, and the packet filter's rules that
/// make it so. Pure.

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "test/storm/plan.hpp"

namespace paxtor::storm {

class wires {
public:
  explicit wires(std::vector<machine> machines) : machines_(std::move(machines)) {}

  /// From now on these faults are on, and no others; those of other kinds than cuts and loss are
  /// ignored.
  void set(const std::vector<fault>& active);

  /// Packets from `a` arrive at `b`, but for loss.
  [[nodiscard]] bool pass(const std::string& a, const std::string& b) const;

  /// The filter table of a machine, as iptables-restore reads it. What is cut is thrown away where
  /// it arrives, so that its sender learns nothing; or is rejected there with a TCP reset.
  [[nodiscard]] std::string rules(const machine& at) const;

  /// Whether one of the workers in `up`, with a voter that it exchanges packets with, and the
  /// voters that this one does, are a majority of all voters.
  [[nodiscard]] bool majority(const std::set<std::string>& up) const;

private:
  void block(const std::string& from, const std::string& to, bool reject);
  [[nodiscard]] bool linked(const std::string& a, const std::string& b) const {
    return pass(a, b) && pass(b, a);
  }

  std::vector<machine> machines_;
  /// (from, to) -> rejected.
  std::map<std::pair<std::string, std::string>, bool> blocked_;
  /// Percent.
  std::map<std::string, unsigned> loss_;
};

} // namespace paxtor::storm
