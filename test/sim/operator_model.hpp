#pragma once

#include <cstdint>
#include <vector>

#include "libpaxtor/base/random.hpp"
#include "libpaxtor/cluster/messages.hpp"
#include "test/sim/links.hpp"
#include "test/sim/scene.hpp"

namespace paxtor::sim {

/// An operator who adds, removes and replaces voters at random moments, as `paxtor members` does:
/// each wish is sent to some voter, and sent again for a while, whatever became of it. Nobody looks
/// first whether it is a good moment: that is for the steward to say (L6). He drains nodes as well,
/// and takes that back.
class operator_model {
public:
  operator_model(scene& all, process_list& processes, generator random)
      : all_(all),
        processes_(processes),
        changes_(random),
        drains_(changes_.fork()),
        random_(changes_.fork()) {}

  void start();

private:
  void next_change();
  void next_drain();
  void want_something();
  void drain_something();
  void ask(const cluster::change_voters& what, unsigned times, generator own);
  [[nodiscard]] std::vector<process*> leaving() const;
  [[nodiscard]] std::vector<process*> coming() const;
  [[nodiscard]] process& one_of(const std::vector<process*>& some);

  scene& all_;
  process_list& processes_;
  generator changes_;
  generator drains_;
  /// Of the wish at hand: each has its own.
  generator random_;
};

} // namespace paxtor::sim
