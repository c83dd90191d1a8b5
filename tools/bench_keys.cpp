/// Many distinct keys, each locked and released once: what a voter keeps of a key that is free is
/// nothing (R6), so its memory must not grow with their number.

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include <unistd.h>

#include "tools/bench.hpp"

namespace paxtor::tools {

namespace {

using nlohmann::json;

/// What all chains of a run share.
struct key_load {
  key_load(client& from, std::uint64_t keys) : node(from), door(from.door()), count(keys) {}

  client& node;
  const cluster door;
  const std::uint64_t count;
  std::atomic<std::uint64_t> next{0};
  std::atomic<std::uint64_t> released{0};
  std::atomic<std::uint64_t> errors{0};
  std::atomic<int> alive{0};
  std::mutex mutex;
  std::string error;
};

/// Locks the next key and ends, which is its release; then there is the next one.
caf::behavior taker(caf::event_based_actor* self, const std::shared_ptr<key_load>& shared,
                    std::uint64_t number) {
  self->attach_functor([shared](const caf::error&) {
    ++shared->released;
    const auto next = shared->next++;
    if (next < shared->count && shared->errors == 0)
      shared->node.system().spawn(taker, shared, next);
    else
      --shared->alive;
  });
  shared->door.lock(self, json{"bench", "key", number})
    .then([self](const grant&) { self->quit(); },
          [=](const caf::error& err) {
            const std::lock_guard guard{shared->mutex};
            shared->error = describe(err);
            ++shared->errors;
            self->quit();
          });
  return {[](ping_atom) {}};
}

std::uint64_t bytes_below(const std::string& directory) {
  std::uint64_t sum = 0;
  std::error_code gone;
  for (const auto& file : std::filesystem::recursive_directory_iterator{directory, gone}) {
    // A file may go while this looks.
    const auto size = file.file_size(gone);
    sum += gone ? 0 : size;
  }
  return sum;
}

/// What each voter, and this process, needs now.
json look(team& voters, const std::shared_ptr<key_load>& shared, clock::time_point start) {
  json row{{"keys", shared->released.load()},
           {"seconds", std::chrono::duration<double>(clock::now() - start).count()},
           {"client_bytes", resident_bytes(getpid())}};
  for (const auto& member : voters.members()) {
    row["voters"][member->name] = {{"resident_bytes", resident_bytes(member->child().pid())}};
    if (const auto dir = voters.data_dir(member->name); !dir.empty())
      row["voters"][member->name]["disk_bytes"] = bytes_below(dir);
  }
  return row;
}

/// The largest voter of a row.
std::uint64_t largest(const json& row) {
  std::uint64_t result = 0;
  for (const auto& [name, one] : row["voters"].items())
    result = std::max(result, one["resident_bytes"].get<std::uint64_t>());
  return result;
}

} // namespace

std::uint64_t resident_bytes(pid_t pid) {
  std::ifstream in{"/proc/" + std::to_string(pid) + "/statm"};
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  in >> all >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

json bench_keys(client& node, team& voters, const keys_options& how, const keys_row& say) {
  auto shared = std::make_shared<key_load>(node, how.keys);
  const auto start = clock::now();
  json rows = json::array();
  const auto take_row = [&] {
    rows.push_back(look(voters, shared, start));
    say(rows.back());
  };
  take_row();
  const auto chains = std::min<std::uint64_t>(static_cast<std::uint64_t>(how.in_flight), how.keys);
  shared->alive = static_cast<int>(chains);
  shared->next = chains;
  for (std::uint64_t i = 0; i < chains; ++i)
    node.system().spawn(taker, shared, i);
  for (int part = 1; part <= how.rows; ++part) {
    const auto goal =
      how.keys * static_cast<std::uint64_t>(part) / static_cast<std::uint64_t>(how.rows);
    while (shared->alive > 0 && shared->released < goal)
      std::this_thread::sleep_for(milliseconds{2});
    take_row();
    if (shared->alive == 0)
      break;
  }
  while (shared->alive > 0)
    std::this_thread::sleep_for(milliseconds{1});
  const auto took = std::chrono::duration<double>(clock::now() - start).count();
  // From the first half on: until then logs and allocators fill up to their bounds.
  std::uint64_t middle = 0;
  std::uint64_t peak = 0;
  for (const auto& row : rows) {
    auto& highest = row["keys"].get<std::uint64_t>() * 2 <= how.keys ? middle : peak;
    highest = std::max(highest, largest(row));
  }
  json result{{"keys", how.keys},
              {"in_flight", how.in_flight},
              {"keys_per_s", static_cast<double>(shared->released) / took},
              {"errors", shared->errors.load()},
              {"peak_first_half_bytes", middle},
              {"peak_second_half_bytes", peak},
              {"rows", rows}};
  if (shared->errors > 0) {
    const std::lock_guard guard{shared->mutex};
    result["error"] = shared->error;
  }
  return result;
}

} // namespace paxtor::tools
