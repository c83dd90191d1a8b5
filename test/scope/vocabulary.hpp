#pragma once

/// \file
/// Everything that can be said, numbered: a state of the whole is then a few small numbers and a
/// set of bits.

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "libpaxtor/base/blob.hpp"
#include "libpaxtor/paxos/messages.hpp"
#include "libpaxtor/registry/machine.hpp"

namespace paxtor::scope {

inline constexpr std::size_t voters = 3;
inline constexpr std::size_t most_messages = 256;

/// A set of messages, by their numbers.
struct message_set {
  std::array<std::uint64_t, most_messages / 64> words{};

  [[nodiscard]] bool has(std::size_t i) const { return (words[i / 64] >> (i % 64) & 1) != 0; }
  void add(std::size_t i) { words[i / 64] |= std::uint64_t{1} << (i % 64); }
  bool operator==(const message_set&) const = default;
};

/// All messages that were ever sent in any state.
class message_table {
public:
  /// The number of this one; throws std::length_error if there are too many: smaller bounds help.
  [[nodiscard]] std::uint16_t number(const paxos::envelope& what);
  [[nodiscard]] const paxos::envelope& at(std::size_t number) const { return all_[number]; }
  [[nodiscard]] std::size_t size() const { return all_.size(); }

private:
  std::deque<paxos::envelope> all_; // others point to what is in it
  std::map<std::string, std::uint16_t> numbers_;
};

[[nodiscard]] std::string to_string(const paxos::envelope& what);

/// The registries that occur: two sessions, one key. The first session's actor owns the key, the
/// second's waits for it. Applying an entry is the real machine's work, and done once for each.
class registry_table {
public:
  struct known {
    blob image;
    ballot reign;
    bool first_open = false;
    /// The second session's actor owns the key.
    bool second_owns = false;
  };

  registry_table();

  /// After all entries before the log of the exploration; the index of the last is `base_index`.
  static constexpr std::uint16_t base = 0;
  [[nodiscard]] index base_index() const { return base_index_; }
  [[nodiscard]] session_id first() const { return first_; }
  [[nodiscard]] const known& at(std::uint16_t number) const { return all_[number]; }
  [[nodiscard]] std::uint16_t apply(std::uint16_t before, index at, const paxos::entry& what);

private:
  [[nodiscard]] std::uint16_t number(const registry::machine& reg);

  std::deque<known> all_;
  std::map<std::string, std::uint16_t, std::less<>> numbers_;
  std::map<std::pair<std::uint16_t, std::string>, std::uint16_t> applied_;
  index base_index_;
  session_id first_;
  session_id second_;
};

} // namespace paxtor::scope
