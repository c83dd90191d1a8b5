#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "test/sim/true_time.hpp"

namespace paxtor::sim {

using action = std::function<void()>;

/// What happens next, and when. Events of one moment run in the order in which they were asked for,
/// so a run depends on nothing but its seed.
class event_queue {
public:
  [[nodiscard]] moment now() const { return now_; }
  [[nodiscard]] std::uint64_t executed() const { return executed_; }
  [[nodiscard]] bool empty() const { return heap_.empty(); }

  /// Runs `what` at `when`, or now if that has passed.
  void at(moment when, action what) {
    heap_.push_back({std::max(when, now_), ++asked_, std::move(what)});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }

  void after(duration delay, action what) { at(now_ + delay, std::move(what)); }

  /// Moves time to the next event and runs it. REQUIRES: not empty().
  void run_next() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    auto next = std::move(heap_.back());
    heap_.pop_back();
    now_ = next.when;
    ++executed_;
    next.what();
  }

private:
  struct event {
    moment when;
    std::uint64_t order;
    action what;
  };

  static bool later(const event& x, const event& y) {
    return x.when != y.when ? x.when > y.when : x.order > y.order;
  }

  moment now_{};
  std::uint64_t asked_ = 0;
  std::uint64_t executed_ = 0;
  std::vector<event> heap_;
};

} // namespace paxtor::sim
