#pragma once

/// \file
/// The nodes of a storm and what is being done to them.

#include <memory>
#include <set>

#include "test/actors/authority.hpp"
#include "test/storm/node.hpp"
#include "test/storm/relay.hpp"
#include "test/storm/storm.hpp"
#include "test/storm/wires.hpp"

namespace paxtor::storm {

/// "v1 (disk), v2 (memory, relayed), ..; TLS".
[[nodiscard]] std::string describe(const std::vector<machine>& machines, bool tls);

class crew {
public:
  /// Builds the network and starts all nodes, linked by TLS or plainly. Throws std::exception if
  /// that cannot be.
  crew(std::vector<machine> machines, bool tls, const storm_options& options);
  ~crew();
  crew(const crew&) = delete;
  crew& operator=(const crew&) = delete;

  [[nodiscard]] std::string describe() const;

  void begin_unrest();
  void begin(const fault& one, boot_time until);
  /// To be called every few milliseconds: ends faults, sees to the nodes, notes whether there is a
  /// majority.
  void look();
  /// Ends all faults and brings all nodes back. `not_all`: a worker stays cut off.
  void heal(bool not_all);
  /// A planted crash, of the first node that is up.
  void crash_somebody();
  /// Kills what still runs.
  void end();

  [[nodiscard]] std::vector<std::unique_ptr<node>>& nodes() { return nodes_; }
  [[nodiscard]] std::vector<node*> workers();
  [[nodiscard]] std::vector<std::string> crashes() const;
  [[nodiscard]] history read(std::optional<boot_time> now) const {
    return read_folder(setup_.work, now);
  }
  void count(report& out) const;
  /// What `paxtor COMMAND` says on a machine.
  [[nodiscard]] std::string ask_program(const machine& at,
                                        const std::vector<std::string>& command) const;

private:
  struct running {
    fault what;
    boot_time until{};
  };

  [[nodiscard]] node& at(const std::string& name);
  void end_fault(const running& one);
  /// Brings packet filters, delays and hogs in line with the faults that are on.
  void apply();
  void note_majority(boot_time now);

  const std::vector<machine> machines_;
  std::unique_ptr<test::authority> authority_;
  setup setup_;
  std::string voters_;
  journal events_;
  std::unique_ptr<relay> relay_;
  wires wires_;
  std::vector<std::unique_ptr<node>> nodes_;
  std::vector<running> faults_;
  std::vector<std::unique_ptr<tools::process>> hogs_;
  /// The rules that are in force, by machine.
  std::map<std::string, std::string> rules_;
  std::optional<bool> majority_;
  std::uint64_t unrests_ = 0;
};

} // namespace paxtor::storm
