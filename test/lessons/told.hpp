#pragma once

/// \file
/// A stage (test/transcripts) as the lessons use it: three voters a, b, c and the nodes x, y, z,
/// with all that is told kept.

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "test/transcripts/stage.hpp"

namespace paxtor::lessons {

class scene {
public:
  scene() : on({{"a", "b", "c"}, {"x", "y", "z"}}) {
    run(std::chrono::seconds{1});
    REQUIRE(told("z: session"));
    story_.clear();
  }

  void lock(const std::string& node, std::uint64_t actor, const std::string& key) {
    term what;
    std::string why;
    REQUIRE(term::from_user(key, what, why));
    on.lock(node, local_actor_id{actor}, {what}, {});
    run(std::chrono::milliseconds{10});
  }

  /// No voter hears this node any more.
  void silence(const std::string& node) {
    for (const auto* voter : {"a", "b", "c"})
      on.cut(node, voter);
  }

  void run(duration how_long) {
    on.run(how_long);
    const auto lines = on.take_told();
    story_.insert(story_.end(), lines.begin(), lines.end());
  }

  /// Until this is told. False: it was not, in this time.
  [[nodiscard]] bool run_until(const std::string& what, duration most) {
    for (const auto end = on.now() + most; on.now() < end;) {
      if (told(what))
        return true;
      run(std::chrono::milliseconds{5});
    }
    return told(what);
  }

  [[nodiscard]] std::size_t times(const std::string& what) const {
    return static_cast<std::size_t>(
      std::count_if(story_.begin(), story_.end(),
                    [&](const auto& line) { return line.find(what) != std::string::npos; }));
  }
  [[nodiscard]] bool told(const std::string& what) const { return times(what) > 0; }

  /// Each is told, behind the one before.
  [[nodiscard]] bool in_this_order(const std::vector<std::string>& all) const {
    auto from = story_.begin();
    for (const auto& what : all) {
      from = std::find_if(from, story_.end(),
                          [&](const auto& line) { return line.find(what) != std::string::npos; });
      if (from == story_.end())
        return false;
      ++from;
    }
    return true;
  }

  /// The node whose actor holds the key, as the leader's registry has it; empty: nobody.
  [[nodiscard]] std::string holder(const std::string& key) const {
    term what;
    std::string why;
    REQUIRE(term::from_user(key, what, why));
    const auto answer =
      nlohmann::json::parse(on.registry_of_leader().ask(registry::query_why{what}, {}));
    return answer["holder"].is_null() ? std::string{} : answer["holder"]["node"].get<std::string>();
  }

  /// Zero: there is no lease.
  [[nodiscard]] duration lease_left(const std::string& node) { return on.lease_left(node); }

  transcripts::stage on;

private:
  std::vector<std::string> story_;
};

} // namespace paxtor::lessons
