#include "net/settle.hpp"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include <caf/actor_system.hpp>
#include <caf/after.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/system_messages.hpp>

#include "net/hub.hpp"

namespace paxtor::net {

namespace {

using clock = std::chrono::steady_clock;

/// Whose thread has not ended yet. One for all systems of the process: an actor's end is told
/// without its system at hand.
class roll {
public:
  using name = std::pair<const caf::actor_system*, caf::actor_id>;

  void add(name who) {
    std::lock_guard guard{mutex_};
    alive_.insert(who);
  }

  void remove(name who) {
    std::lock_guard guard{mutex_};
    alive_.erase(who);
    changed_.notify_all();
  }

  /// Waits until none that `counts` is alive.
  template <class Predicate>
  bool wait(clock::time_point until, Predicate counts) {
    std::unique_lock guard{mutex_};
    return changed_.wait_until(guard, until,
                               [&] { return std::none_of(alive_.begin(), alive_.end(), counts); });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<name> alive_;
};

const std::shared_ptr<roll>& the_roll() {
  static const auto instance = std::make_shared<roll>();
  return instance;
}

/// The broker's answer comes after all that was sent to it before.
bool drain_broker(caf::actor_system& sys, clock::time_point until) {
  auto broker = sys.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
  caf::scoped_actor self{sys, true};
  auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now());
  auto done = false;
  self
    ->request(broker, std::max(left, std::chrono::milliseconds{1}), caf::get_atom_v, caf::node_id{})
    .receive([&](const caf::node_id&, const std::string&, std::uint16_t) { done = true; },
             [](const caf::error&) {});
  return done;
}

} // namespace

void note_own_thread(const caf::actor& who) {
  roll::name name{&who.home_system(), who.id()};
  the_roll()->add(name);
  // What is attached first is called last: when this runs, all others who watch have their message.
  who->attach_functor([all = the_roll(), name] { all->remove(name); });
}

bool settle(caf::actor_system& sys, std::chrono::milliseconds most) {
  auto until = clock::now() + most;
  return the_roll()->wait(until, [&sys](const roll::name& one) { return one.first == &sys; })
         && drain_broker(sys, until);
}

bool stop_and_wait(caf::actor_system& sys, const std::vector<caf::actor>& all,
                   std::chrono::milliseconds most) {
  auto until = clock::now() + most;
  caf::scoped_actor self{sys, true};
  std::set<caf::actor_id> ids;
  for (const auto& one : all)
    if (one) {
      ids.insert(one.id());
      self->monitor(one);
      self->send(one, stop_atom::value);
    }
  auto late = false;
  for (auto left = ids.size(); left > 0 && !late;) {
    auto rest = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now());
    self->receive([&left](const caf::down_msg&) { --left; },
                  caf::after(std::max(rest, std::chrono::milliseconds{0})) >>
                    [&late] { late = true; });
  }
  return !late && the_roll()->wait(until, [&](const roll::name& one) {
    return one.first == &sys && ids.count(one.second) > 0;
  }) && drain_broker(sys, until);
}

} // namespace paxtor::net
