#pragma once

#include <string>

#include "libpaxtor/base/random.hpp"
#include "libpaxtor/registry/commands.hpp"
#include "test/sim/links.hpp"
#include "test/sim/process.hpp"
#include "test/sim/scene.hpp"

namespace paxtor::sim {

/// What a node gives its guardian when it starts.
[[nodiscard]] std::string make_secret(generator& random);

/// Brings proofs of an end (F4): certifies the lives of processes that have ended, soon after for
/// some of them (late, more than once, or never: a guardian that died first), for all of them once
/// the faults have ended: strict owners are freed by nothing else (F5). And a forger, who certifies
/// lives that go on, with secrets of others.
class guardian {
public:
  guardian(scene& all, process_list& processes, generator random)
      : all_(all), processes_(processes), random_(random) {}

  /// A life of `host` ended.
  void process_ended(const process& host);

  /// F4: must end nothing.
  void forge(process& victim);

  /// From now on every life that has ended is certified, again and again.
  void certify_all();

private:
  void certify_later(process_number host, const process::ended_life& life, unsigned times);
  void certify(process_number host, const process::ended_life& life);
  void send(process_number from, const registry::certify_end& proof);

  scene& all_;
  process_list& processes_;
  generator random_;
};

} // namespace paxtor::sim
