#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <thread>

#include "tools/bench.hpp"

namespace paxtor::tools {

double samples::percentile(double p) const {
  if (values_.empty())
    return 0;
  auto sorted = values_;
  const auto at = static_cast<std::size_t>(std::ceil(p * static_cast<double>(sorted.size()))) - 1;
  const auto nth = sorted.begin() + static_cast<std::ptrdiff_t>(std::min(at, sorted.size() - 1));
  std::nth_element(sorted.begin(), nth, sorted.end());
  return *nth;
}

nlohmann::json samples::summary() const {
  return {{"count", count()},
          {"p50_us", percentile(0.50)},
          {"p99_us", percentile(0.99)},
          {"max_us", percentile(1)}};
}

namespace {

/// What all chains of a run share.
struct load {
  load(client& from, int chains, std::chrono::milliseconds between)
      : node(from), door(from.door()), rest(between), last(static_cast<std::size_t>(chains)) {}

  client& node;
  const cluster door;
  const std::chrono::milliseconds rest;
  std::atomic<bool> measuring{false};
  std::atomic<bool> stopping{false};
  std::atomic<int> alive{0};
  std::atomic<std::uint64_t> errors{0};

  std::mutex mutex;
  std::uint64_t grants = 0;
  samples lock;
  samples cycle;
  std::vector<clock::time_point> last;
  std::string error;

  void granted(std::size_t chain, clock::time_point asked) {
    const auto now = clock::now();
    const std::lock_guard guard{mutex};
    if (measuring) {
      ++grants;
      lock.add(micros(now - asked));
      if (last[chain] != clock::time_point{})
        cycle.add(micros(now - last[chain]));
    }
    last[chain] = now;
  }
  void failed(const caf::error& err) {
    const std::lock_guard guard{mutex};
    ++errors;
    error = describe(err);
    // Do not spin on an error.
    stopping = true;
  }
};

caf::behavior locker(caf::event_based_actor* self, const std::shared_ptr<load>& shared,
                     std::size_t chain) {
  // The next one starts when this one has ended, which is its release.
  self->attach_functor([shared, chain](const caf::error&) {
    if (shared->stopping)
      --shared->alive;
    else
      shared->node.system().spawn(locker, shared, chain);
  });
  const auto ask = [=] {
    const auto asked = clock::now();
    shared->door.lock(self, nlohmann::json{"bench", chain})
      .then(
        [=](const grant&) {
          shared->granted(chain, asked);
          self->quit();
        },
        [=](const caf::error& err) {
          shared->failed(err);
          self->quit();
        });
  };
  if (shared->rest.count() > 0)
    self->delayed_send(self, shared->rest, ping_atom::value);
  else
    ask();
  return {[=](ping_atom) { ask(); }};
}

template <class Shared>
double measure(Shared& shared, std::chrono::milliseconds time) {
  std::this_thread::sleep_for(time / 5);
  const auto start = clock::now();
  shared.measuring = true;
  std::this_thread::sleep_for(time);
  shared.measuring = false;
  const auto took = std::chrono::duration<double>(clock::now() - start).count();
  shared.stopping = true;
  // All locks are released before the next measurement starts.
  const auto deadline = clock::now() + std::chrono::seconds{20};
  while (shared.alive > 0 && clock::now() < deadline)
    std::this_thread::sleep_for(milliseconds{1});
  return took;
}

} // namespace

nlohmann::json bench_cycles(client& node, int in_flight, std::chrono::milliseconds time,
                            std::chrono::milliseconds rest) {
  auto shared = std::make_shared<load>(node, in_flight, rest);
  shared->alive = in_flight;
  for (int i = 0; i < in_flight; ++i)
    node.system().spawn(locker, shared, static_cast<std::size_t>(i));
  const auto took = measure(*shared, time);
  const std::lock_guard guard{shared->mutex};
  nlohmann::json result{{"in_flight", in_flight},
                        {"cycles_per_s", static_cast<double>(shared->grants) / took},
                        {"lock", shared->lock.summary()},
                        {"cycle", shared->cycle.summary()},
                        {"errors", shared->errors.load()}};
  if (shared->errors > 0)
    result["error"] = shared->error;
  return result;
}

namespace {

struct queue_load {
  explicit queue_load(client& from) : node(from), door(from.door()) {}

  client& node;
  const cluster door;
  std::atomic<bool> measuring{false};
  std::atomic<bool> stopping{false};
  std::atomic<int> alive{0};

  std::mutex mutex;
  std::uint64_t next = 0;     ///< the number of the next request
  std::uint64_t expected = 0; ///< the request that must be granted next
  std::uint64_t grants = 0;
  std::uint64_t out_of_order = 0;
  std::uint64_t errors = 0;
  std::uint64_t last_token = 0;
};

caf::behavior waiter(caf::event_based_actor* self, const std::shared_ptr<queue_load>& shared) {
  self->attach_functor([shared](const caf::error&) {
    if (shared->stopping)
      --shared->alive;
    else
      shared->node.system().spawn(waiter, shared);
  });
  // Numbered and sent under one lock: the order of the numbers is the order in which the requests
  // were made.
  const std::lock_guard guard{shared->mutex};
  const auto number = shared->next++;
  shared->door.lock(self, nlohmann::json{"bench", "queue"})
    .then(
      [=](const grant& held) {
        {
          const std::lock_guard inner{shared->mutex};
          if (number != shared->expected || held.token() <= shared->last_token)
            ++shared->out_of_order;
          shared->expected = number + 1;
          shared->last_token = held.token();
          if (shared->measuring)
            ++shared->grants;
        }
        self->quit();
      },
      [=](const caf::error&) {
        {
          const std::lock_guard inner{shared->mutex};
          ++shared->errors;
          shared->stopping = true;
        }
        self->quit();
      });
  return {[](ping_atom) {}};
}

} // namespace

nlohmann::json bench_handoffs(client& node, int waiters, std::chrono::milliseconds time) {
  auto shared = std::make_shared<queue_load>(node);
  shared->alive = waiters;
  for (int i = 0; i < waiters; ++i)
    node.system().spawn(waiter, shared);
  const auto took = measure(*shared, time);
  const std::lock_guard guard{shared->mutex};
  return {{"waiters", waiters},
          {"handoffs_per_s", static_cast<double>(shared->grants) / took},
          {"fifo", shared->out_of_order == 0},
          {"errors", shared->errors}};
}

} // namespace paxtor::tools
