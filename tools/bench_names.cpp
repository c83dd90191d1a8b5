#include <future>

#include <caf/scoped_actor.hpp>

#include "tools/bench.hpp"

namespace paxtor::tools {

namespace {

/// A block takes no longer than this, however slow the machine.
constexpr milliseconds longest_block{250};

/// Up to `count` requests, one after the other; then `done` has the mean time of one, or is
/// negative if one failed.
caf::behavior pinger(caf::event_based_actor* self, const caf::actor& target, int count,
                     const std::shared_ptr<std::promise<double>>& done) {
  const auto start = clock::now();
  return {
    [=](ping_atom again, std::int64_t n) {
      self->request(target, std::chrono::seconds{10}, again, n)
        .then(
          [=](std::int64_t answered) {
            const auto took = clock::now() - start;
            if (answered < count && took < longest_block) {
              self->send(self, ping_atom::value, answered + 1);
              return;
            }
            done->set_value(micros(took) / static_cast<double>(answered));
            self->quit();
          },
          [=](const caf::error&) {
            done->set_value(-1);
            self->quit();
          });
    },
  };
}

double block_of(client& node, const caf::actor& target, int count) {
  auto done = std::make_shared<std::promise<double>>();
  auto result = done->get_future();
  const auto actor = node.system().spawn<caf::detached>(pinger, target, count, done);
  caf::anon_send(actor, ping_atom::value, std::int64_t{1});
  return result.get();
}

} // namespace

nlohmann::json bench_name(client& node, const std::string& type, int block,
                          std::chrono::milliseconds time) {
  const auto named = node.door().name(nlohmann::json{"bench", type}, type);
  auto direct =
    await<caf::actor>(node.system(), std::chrono::seconds{10}, [&](caf::event_based_actor* self) {
      return self->request(named, std::chrono::seconds{10}, self_atom::value);
    });
  if (!direct)
    return {{"error", describe(direct.error())}};
  samples by_name;
  samples by_handle;
  samples ratio;
  block_of(node, *direct, block);
  block_of(node, named, block);
  const auto end = clock::now() + time;
  while (clock::now() < end) {
    const auto one = block_of(node, *direct, block);
    const auto other = block_of(node, named, block);
    if (one <= 0 || other <= 0)
      return {{"error", "a request failed"}};
    by_handle.add(one);
    by_name.add(other);
    ratio.add(other / one);
  }
  return {{"direct_us", by_handle.percentile(0.5)},
          {"named_us", by_name.percentile(0.5)},
          {"ratio", ratio.percentile(0.5)},
          {"blocks", ratio.count()},
          {"messages_per_block", block}};
}

} // namespace paxtor::tools
