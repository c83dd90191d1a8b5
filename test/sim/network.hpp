#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "libpaxtor/base/random.hpp"
#include "libpaxtor/cluster/frame.hpp"
#include "test/sim/court.hpp"
#include "test/sim/event_queue.hpp"
#include "test/sim/journal.hpp"
#include "test/sim/knobs.hpp"
#include "test/sim/stats.hpp"

namespace paxtor::sim {

/// The number of a simulated process: stable over its restarts.
using process_number = unsigned;

using packet = std::shared_ptr<const cluster::frame>;

/// Carries frames between processes: late, lost, repeated, out of order, or not at all where it is
/// cut. Directions are cut one by one, so that full, partial and one-way cuts are all sets of
/// directions.
class network {
public:
  using receiver = std::function<void(process_number to, process_number from, const packet& what)>;

  network(event_queue& events, journal& story, court& judge, stats& counts, const knobs& how,
          generator random);

  void attach(receiver deliver) { deliver_ = std::move(deliver); }

  void send(process_number from, process_number to, cluster::frame what);

  void cut(process_number from, process_number to) { ++at(from, to).cuts; }

  /// Takes back one cut().
  void heal(process_number from, process_number to);

  [[nodiscard]] bool is_cut(process_number from, process_number to) const {
    return at(from, to).cuts != 0;
  }

  /// All faults end here: nothing is cut, lost, repeated or slow from now on.
  void calm();

private:
  /// One direction of one link. Each draws by itself: what happens on one does not shift others.
  struct direction {
    generator random{0};
    /// delay_shape::distances: how far it is.
    duration distance{};
    moment last_arrival{};
    /// How many faults cut it.
    unsigned cuts = 0;
  };

  [[nodiscard]] const direction& at(process_number from, process_number to) const {
    return directions_[from * processes_ + to];
  }
  [[nodiscard]] direction& at(process_number from, process_number to) {
    return directions_[from * processes_ + to];
  }
  void deliver_later(process_number from, process_number to, packet what);
  [[nodiscard]] duration delay(direction& by) const;
  [[nodiscard]] bool through_bytes(const cluster::frame& what, packet& out);

  event_queue& events_;
  journal& story_;
  court& judge_;
  stats& counts_;
  knobs how_;
  receiver deliver_;
  process_number processes_;
  std::vector<direction> directions_;
};

} // namespace paxtor::sim
