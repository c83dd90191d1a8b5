#include "test/storm/probe.hpp"

#include <condition_variable>
#include <mutex>

#include <caf/all.hpp>

#include "test/storm/singleton.hpp"

namespace paxtor::storm {

namespace {

using nlohmann::json;
using again_atom = caf::atom_constant<caf::atom("again")>;
using milliseconds = std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

/// Between two tries to reach a singleton: a message that is lost with its node is not sent again.
constexpr milliseconds try_for{2000};
constexpr milliseconds try_again{50};

/// Answers that are still out, and what was said.
class answers {
public:
  void expect(std::size_t count) { left_ = count; }

  void done(std::string failed = {}, std::string wrong = {}) {
    const std::lock_guard guard{mutex_};
    if (!failed.empty())
      failed_.push_back(std::move(failed));
    if (!wrong.empty())
      wrong_.push_back(std::move(wrong));
    if (--left_ == 0)
      all_.notify_all();
  }

  json wait(milliseconds patience) {
    std::unique_lock guard{mutex_};
    if (!all_.wait_for(guard, patience, [&] { return left_ == 0; }))
      failed_.push_back(std::to_string(left_) + " questions without any answer");
    return {{"failed", failed_}, {"wrong", wrong_}};
  }

private:
  std::mutex mutex_;
  std::condition_variable all_;
  std::size_t left_ = 0;
  std::vector<std::string> failed_;
  std::vector<std::string> wrong_;
};

using answers_ptr = std::shared_ptr<answers>;

void ask_lock(caf::event_based_actor* self, const cluster& door, const std::string& name,
              milliseconds patience, const answers_ptr& out) {
  lock_options how;
  how.deadline = patience;
  // The answer ends this actor, and so the lock.
  door.lock(self, key{json(name)}, how)
    .then([out](const grant&) { out->done(); },
          [out, name](const caf::error& why) { out->done("lock " + name + ": " + describe(why)); });
}

caf::behavior ask_singleton(caf::event_based_actor* self, const cluster& door,
                            const std::string& name, milliseconds patience,
                            const answers_ptr& out) {
  const auto whom = singleton_of(door, name);
  const auto deadline = clock::now() + patience;
  self->send(self, again_atom::value);
  return {[=](again_atom) {
    self->request(whom, try_for, call_atom::value)
      .then(
        [=](std::uint64_t) {
          out->done();
          self->quit();
        },
        [=](const caf::error& why) {
          if (clock::now() < deadline) {
            self->delayed_send(self, try_again, again_atom::value);
            return;
          }
          out->done("name " + name + ": " + describe(why));
          self->quit();
        });
  }};
}

void ask_entry(caf::event_based_actor* self, const cluster& door, const std::string& name,
               const std::string& value, const answers_ptr& out) {
  door.get(self, "load", key{json(name)})
    .then(
      [=](const document& found) {
        const bool same = found.found && found.value == json(value);
        out->done({}, same ? std::string{}
                           : "entry " + name + " was told to be '" + value + "' and is "
                               + (found.found ? found.value.dump() : std::string{"gone"}));
      },
      [=](const caf::error& why) { out->done("entry " + name + ": " + describe(why)); });
}

} // namespace

json probe(tools::client& node, const json& order) {
  const milliseconds patience{order["patience_ms"].get<int>()};
  const auto out = std::make_shared<answers>();
  out->expect(order["locks"].size() + order["names"].size() + order["entries"].size());
  const auto& door = node.door();
  for (const auto& name : order["locks"])
    node.system().spawn([=, what = name.get<std::string>()](caf::event_based_actor* self) {
      ask_lock(self, door, what, patience, out);
    });
  for (const auto& name : order["names"])
    node.system().spawn(ask_singleton, door, name.get<std::string>(), patience, out);
  for (const auto& [name, value] : order["entries"].items())
    node.system().spawn([=, what = name, was = value.get<std::string>()](
                          caf::event_based_actor* self) { ask_entry(self, door, what, was, out); });
  // The deadline of a request is told by the cluster: that takes a moment more.
  return out->wait(patience + try_for * 2);
}

} // namespace paxtor::storm
