#include "test/storm/singleton.hpp"

#include <caf/all.hpp>

#include "tools/guard.hpp"

namespace paxtor::storm {

namespace {

using beat_atom = caf::atom_constant<caf::atom("beat")>;
using next_atom = caf::atom_constant<caf::atom("next")>;

/// A call that takes longer than this has failed: the message was lost with its node, or the
/// cluster has no majority.
constexpr std::chrono::seconds patience{5};

std::int64_t now_ns() {
  return tools::boot_now().count();
}

struct life {
  std::uint64_t calls = 0;
};

caf::behavior singleton(caf::stateful_actor<life>* self, std::string name,
                        const line_writer& write) {
  // What kills it may be told to the cluster before this actor's own hooks run: so its end is when
  // it last ran, not when somebody looks.
  const auto last = std::make_shared<std::int64_t>(now_ns());
  write("begin " + name + " 0 " + std::to_string(*last) + " 0");
  self->attach_functor([=](const caf::error& why) {
    write("end " + name + " 0 " + std::to_string(*last)
          + (why == caf::exit_reason::kill ? " killed" : ""));
  });
  self->send(self, beat_atom::value);
  return {
    [=](beat_atom) {
      *last = now_ns();
      self->delayed_send(self, beat, beat_atom::value);
    },
    [=](call_atom) {
      *last = now_ns();
      return ++self->state.calls;
    },
  };
}

} // namespace

void add_singleton_type(caf::actor_system_config& config, const line_writer& write) {
  config.add_actor_type(singleton_type,
                        // By value: arguments from the wire are matched by their exact types.
                        [write](caf::stateful_actor<life>* self, std::string name) {
                          return singleton(self, std::move(name), write);
                        });
}

caf::actor singleton_of(const cluster& door, const std::string& name) {
  return door.name(name, singleton_type, caf::make_message(name));
}

struct callers::shared {
  shared(tools::client& from, int names, std::chrono::milliseconds pause)
      : node(from), rest(pause) {
    for (int i = 0; i < names; ++i)
      singletons.push_back(singleton_of(from.door(), "name-" + std::to_string(i)));
  }

  tools::client& node;
  const std::chrono::milliseconds rest;
  std::vector<caf::actor> singletons;
  std::atomic<bool> stopping{false};
  std::atomic<int> busy{0};
  std::atomic<std::uint64_t> next{0};
  std::atomic<std::uint64_t> answered{0};
  std::atomic<std::uint64_t> failed{0};
};

callers::callers(tools::client& node, int how_many, int names, std::chrono::milliseconds rest)
    : shared_(std::make_shared<shared>(node, names, rest)) {
  shared_->busy = how_many;
  const auto caller = [load = shared_](caf::event_based_actor* self) -> caf::behavior {
    self->send(self, next_atom::value);
    return {[=](next_atom) {
      if (load->stopping) {
        --load->busy;
        self->quit();
        return;
      }
      const auto& whom = load->singletons[load->next++ % load->singletons.size()];
      self->request(whom, patience, call_atom::value)
        .then(
          [=](std::uint64_t) {
            ++load->answered;
            self->delayed_send(self, load->rest, next_atom::value);
          },
          [=](const caf::error&) {
            ++load->failed;
            self->delayed_send(self, load->rest, next_atom::value);
          });
    }};
  };
  for (int i = 0; i < how_many; ++i)
    node.system().spawn(caller);
}

void callers::stop() {
  shared_->stopping = true;
}

int callers::busy() const {
  return shared_->busy;
}

std::uint64_t callers::answered() const {
  return shared_->answered;
}

std::uint64_t callers::failed() const {
  return shared_->failed;
}

} // namespace paxtor::storm
