#pragma once

/// \file
/// What a caller may choose, request by request.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace paxtor {

/// Whether silence is enough to take a lock away. `bounded`: the owner is killed before its lease
/// ends, then the next one gets the lock. `strict`: only proof of the owner's end frees it, however
/// long that takes.
enum class ownership : std::uint8_t { bounded, strict };

struct lock_options {
  /// Give up after this time (errc::timed_out). None: wait for ever.
  std::optional<std::chrono::milliseconds> deadline{};
  /// Fail with errc::busy instead of waiting.
  bool try_once = false;
  ownership kind = ownership::bounded;
};

struct name_options {
  /// The host must carry these labels.
  std::map<std::string, std::string> labels{};
  /// Choose the host with the fewest singletons instead of by hashing the name.
  bool fewest = false;
  /// What happens when the singleton ends with an error. Default: the next message starts a new
  /// one.
  bool restart_on_failure = false;
};

/// What should become of the voters: who they are, and changes of one of them.
enum class voter_change : std::uint8_t { look, add, remove, replace };

struct put_options {
  /// Erase the entry when the actor that puts it ends.
  bool owned = false;
  std::optional<std::chrono::milliseconds> deadline{};
};

} // namespace paxtor
