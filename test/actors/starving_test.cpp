// F6: what a user's actors do to the scheduler costs nobody a lease.

#include <atomic>
#include <future>
#include <vector>

#include "actors/boot_clock.hpp"
#include "test/actors/nodes.hpp"

using namespace test;

namespace {

constexpr auto ttl = 2000ms;

/// Actors that keep threads of the scheduler: their handlers do not return before this ends.
class hogs {
public:
  hogs() : free_(release_.get_future().share()) {}
  ~hogs() { release_.set_value(); }
  hogs(const hogs&) = delete;
  hogs& operator=(const hogs&) = delete;

  void spawn(caf::actor_system& sys, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      auto hog = sys.spawn([this, free = free_](caf::event_based_actor*) -> caf::behavior {
        return {[this, free](inc_atom) {
          ++busy_;
          free.wait();
        }};
      });
      caf::anon_send(hog, inc_atom::value);
    }
  }

  [[nodiscard]] std::size_t busy() const { return busy_; }

private:
  std::promise<void> release_;
  std::shared_future<void> free_;
  std::atomic<std::size_t> busy_{0};
};

} // namespace

TEST_CASE("hogs of all scheduler threads cost no lease (F6)") {
  nodes cluster{1, ttl};
  auto& x = cluster.add("x");
  owner held{x, "apple"};
  REQUIRE(held.result().ok());
  hogs all;
  std::size_t threads = 0;
  for (auto* one : {&cluster[0], &x}) {
    // More than there are threads: what is freed is taken again.
    const auto mine = caf::get_or(one->cfg, "scheduler.max-threads", std::size_t{0});
    threads += mine;
    all.spawn(*one->sys, 2 * mine);
  }
  REQUIRE(eventually([&] { return all.busy() == threads; }));
  // Longer than a lease: without a renewal the watchdog would end this test. What is asked in the
  // meantime is answered, too.
  const auto end = paxtor::actors::boot_now() + ttl + ttl / 2;
  caf::scoped_actor self{*x.sys};
  int number = 0;
  while (paxtor::actors::boot_now() < end)
    REQUIRE(wait<paxtor::document>(x.door.put(self, "kept", ++number, 1)).ok());
  CHECK(all.busy() == threads);
  CHECK(held.result().value.valid());
  CHECK(!held.ended());
  CHECK(x.door.status()["fences"] == 0);
}
