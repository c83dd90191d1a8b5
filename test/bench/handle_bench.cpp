// A message through a named handle, against a direct CAF send. Must: 1.2 x; aim: 1.05 x. One
// process, no cluster: what is measured is the forwarding. Run: paxtor-bench-handle
// [--benchmark_repetitions=5]

#include <memory>

#include <benchmark/benchmark.h>
#include <caf/all.hpp>

#include <paxtor/error.hpp>

#include "actors/name_book.hpp"
#include "actors/named_handle.hpp"

namespace {

using namespace paxtor;
using inc_atom = caf::atom_constant<caf::atom("inc")>;

caf::behavior counter(caf::event_based_actor*) {
  return {[n = 0](inc_atom) mutable { return ++n; }};
}

struct fixture {
  caf::actor_system_config cfg;
  std::unique_ptr<caf::actor_system> sys;
  std::shared_ptr<actors::name_book> book;
  caf::actor target;
  caf::actor handle;

  fixture() {
    cfg.set("scheduler.max-threads", std::size_t{1});
    sys = std::make_unique<caf::actor_system>(cfg);
    book = std::make_shared<actors::name_book>(*sys);
    target = sys->spawn(counter);
    registry::singleton_spec spec;
    spec.type = "counter";
    handle = caf::actor_cast<caf::actor>(book->handle(term{}, spec, {}));
    static_cast<actors::named_handle*>(caf::actor_cast<caf::abstract_actor*>(handle))
      ->cell()
      ->connect(caf::actor_cast<caf::strong_actor_ptr>(target));
  }

  ~fixture() {
    book->close(make_error(errc::not_joined));
    caf::anon_send_exit(target, caf::exit_reason::kill);
    handle = target = nullptr;
  }
};

constexpr int batch = 10'000;

/// Asks `whom` again and again, one request at a time.
struct pinger_state {
  int left = 0;
  caf::typed_response_promise<int> done;
};

using pinger_pointer = caf::stateful_actor<pinger_state>*;

void ask_again(pinger_pointer self, const caf::actor& whom) {
  self->request(whom, caf::infinite, inc_atom::value).then([self, whom](int n) {
    if (--self->state.left > 0)
      ask_again(self, whom);
    else
      self->state.done.deliver(n);
  });
}

caf::behavior pinger(pinger_pointer self, const caf::actor& whom) {
  return {[self, whom](caf::get_atom, int times) -> caf::result<int> {
    self->state.left = times;
    self->state.done = self->make_response_promise<int>();
    ask_again(self, whom);
    return self->state.done;
  }};
}

/// Request and reply between two actors on one worker: what performance.md calls 1.0 us.
void ping(benchmark::State& state, bool through_handle) {
  fixture f;
  const auto asking = f.sys->spawn(pinger, through_handle ? f.handle : f.target);
  for (auto _ : state) {
    caf::scoped_actor self{*f.sys};
    self->request(asking, caf::infinite, caf::get_atom_v, batch)
      .receive([](int) {}, [&](const caf::error&) { state.SkipWithError("no answer"); });
  }
  caf::anon_send_exit(asking, caf::exit_reason::kill);
  state.SetItemsProcessed(state.iterations() * batch);
}

/// What the sender pays: messages into a mailbox, without waiting for them.
void send(benchmark::State& state, bool through_handle) {
  fixture f;
  const auto whom = through_handle ? f.handle : f.target;
  for (auto _ : state)
    caf::anon_send(whom, inc_atom::value);
  state.SetItemsProcessed(state.iterations());
}

} // namespace

BENCHMARK_CAPTURE(ping, direct, false)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(ping, handle, true)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(send, direct, false)->Iterations(1'000'000);
BENCHMARK_CAPTURE(send, handle, true)->Iterations(1'000'000);

BENCHMARK_MAIN();
