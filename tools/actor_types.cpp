#include "tools/actor_types.hpp"

#include <atomic>

#include <caf/actor.hpp>
#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/result.hpp>
#include <caf/stateful_actor.hpp>

namespace paxtor::tools {

namespace {

std::atomic<std::int64_t> counters{0};

struct counter_state {
  counter_state() { ++counters; }
  ~counter_state() { --counters; }
  std::int64_t count = 0;
};

} // namespace

std::int64_t running_counters() {
  return counters;
}

void add_types(caf::actor_system_config& config, hosting what, const std::string& node) {
  const auto counter = [node](caf::stateful_actor<counter_state>* self) -> caf::behavior {
    return {
      [self, node](inc_atom) {
        return caf::result<std::int64_t, std::string>{++self->state.count, node};
      },
      [self, node](get_atom) {
        return caf::result<std::int64_t, std::string>{self->state.count, node};
      },
      [node](where_atom) { return node; },
    };
  };
  const auto echo = [](caf::event_based_actor* self) -> caf::behavior {
    return {
      [](ping_atom, std::int64_t n) { return n; },
      [self](self_atom) { return caf::actor{self}; },
    };
  };
  switch (what) {
    case hosting::nothing:
      return;
    case hosting::built_in:
      config.add_actor_type("counter", counter);
      config.add_actor_type("echo", echo);
      return;
    case hosting::local_echo:
      config.add_actor_type("local-echo", echo);
      return;
  }
}

} // namespace paxtor::tools
