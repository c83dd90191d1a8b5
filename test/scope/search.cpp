#include "test/scope/search.hpp"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string_view>

#include "libpaxtor/base/check.hpp"

namespace paxtor::scope {

namespace {

/// A broken invariant of a role becomes a finding.
struct invariant_broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void throw_it(std::string_view invariant, std::string_view expression, std::string_view file,
              int line) {
  throw invariant_broken{std::string{invariant} + ": " + std::string{expression} + ", "
                         + std::string{file} + ":" + std::to_string(line)};
}

class scoped_handler {
public:
  scoped_handler() : before_(set_check_handler(throw_it)) {}
  scoped_handler(const scoped_handler&) = delete;
  scoped_handler& operator=(const scoped_handler&) = delete;
  ~scoped_handler() { set_check_handler(before_); }

private:
  check_handler before_;
};

std::uint64_t mix(std::uint64_t sum, std::uint64_t word) {
  sum = (sum ^ word) * 0x9e3779b97f4a7c15ULL;
  return sum ^ (sum >> 29);
}

std::uint64_t hash_of(const state& what) {
  std::uint64_t sum = 0x5851f42d4c957f2dULL;
  for (const auto site : what.sites)
    sum = mix(sum, site);
  for (const auto word : what.network.words)
    sum = mix(sum, word);
  sum = mix(sum, what.ballots | std::uint64_t{what.crashes} << 8
                   | std::uint64_t{what.renewals} << 16 | std::uint64_t{what.answers} << 24
                   | std::uint64_t{what.basis} << 32 | std::uint64_t{what.fenced} << 40);
  return sum ^ (sum >> 32);
}

/// All states that were seen, whole: two with one hash are two.
class seen_states {
public:
  struct node {
    state what;
    std::uint32_t parent = 0;
    action by;
  };

  seen_states() : table_(std::size_t{1} << 16, 0) {}

  /// True if it is new.
  bool add(const state& what, std::uint32_t parent, const action& by) {
    if ((nodes_.size() + 1) * 2 > table_.size())
      grow();
    auto& place = find(what);
    if (place != 0)
      return false;
    nodes_.push_back({what, parent, by});
    place = static_cast<std::uint32_t>(nodes_.size());
    return true;
  }

  [[nodiscard]] const node& at(std::size_t i) const { return nodes_[i]; }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }

private:
  std::uint32_t& find(const state& what) {
    auto i = hash_of(what) & (table_.size() - 1);
    while (table_[i] != 0 && !(nodes_[table_[i] - 1].what == what))
      i = (i + 1) & (table_.size() - 1);
    return table_[i];
  }

  void grow() {
    table_.assign(table_.size() * 2, 0);
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      find(nodes_[i].what) = static_cast<std::uint32_t>(i + 1);
  }

  std::vector<node> nodes_;
  std::vector<std::uint32_t> table_;
};

/// The way to state `i`, by the number of each state and of what led to it.
std::vector<std::string> way_to(const world& all, const seen_states& seen, std::size_t i) {
  std::vector<std::string> result;
  for (; i != 0; i = seen.at(i).parent)
    result.push_back(all.describe(seen.at(i).by));
  std::reverse(result.begin(), result.end());
  return result;
}

constexpr std::size_t progress_every = 1U << 18;

} // namespace

result search(world& all, std::size_t most, const std::function<void(const result&)>& progress) {
  const scoped_handler handler;
  result found;
  seen_states seen;
  std::vector<action> possible;
  seen.add(all.start(), 0, {});
  found.broken = all.broken(all.start());
  std::size_t level_end = 1;
  for (std::size_t i = 0; i < seen.size() && found.broken.empty(); ++i) {
    if (i == level_end) {
      ++found.depth;
      level_end = seen.size();
    }
    const auto now = seen.at(i).what;
    found.granted += all.granted(now) ? 1 : 0;
    all.actions(now, possible);
    for (const auto& one : possible) {
      ++found.transitions;
      state next;
      try {
        next = all.after(now, one);
      } catch (const invariant_broken& what) {
        found.broken = what.what();
        found.trace = way_to(all, seen, i);
        found.trace.push_back(all.describe(one));
        break;
      }
      if (!seen.add(next, static_cast<std::uint32_t>(i), one))
        continue;
      found.broken = all.broken(next);
      if (!found.broken.empty()) {
        found.trace = way_to(all, seen, seen.size() - 1);
        break;
      }
    }
    found.states = seen.size();
    if (seen.size() >= most)
      return found;
    if (i % progress_every == progress_every - 1)
      progress(found);
  }
  found.complete = found.broken.empty();
  return found;
}

} // namespace paxtor::scope
