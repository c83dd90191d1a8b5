#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "libpaxtor/base/ids.hpp"
#include "test/sim/finding.hpp"

namespace paxtor::sim {

/// Messages through handles of a name: each is handled once or not at all, none is both refused
/// (its sender was told that it will not be handled) and handled, and what one handle sent to one
/// life of a singleton is handled in the order in which it was sent. A move in good order loses
/// none and leaves none behind, so that order holds across it. (Not across the end of a node: a
/// frozen one handles what had reached it when it thaws.)
class mail_checker {
public:
  /// `handle`: which handle sends it. Returns the message's number.
  [[nodiscard]] std::uint64_t sent(std::uint64_t handle);

  /// `life`: the token of the singleton that handles it.
  [[nodiscard]] verdict handled(std::uint64_t message, token life, const std::string& by);

  /// The sender is told: it was, and will be, handled by nobody.
  [[nodiscard]] verdict refused(std::uint64_t message, const std::string& why);

  /// A link or the singleton ended, or its sender: nobody knows.
  void lost(std::uint64_t message);

  /// It came to a node from which the singleton had moved in good order.
  [[nodiscard]] verdict missed(std::uint64_t message, const std::string& where) const;

  /// Messages that wait for something.
  [[nodiscard]] std::size_t under_way() const { return open_.size(); }
  /// For findings: one of them.
  [[nodiscard]] std::string one_under_way() const;
  [[nodiscard]] std::uint64_t handled_count() const { return handled_; }
  [[nodiscard]] std::uint64_t refused_count() const { return refused_; }

private:
  enum class end : std::uint8_t { handled, refused, lost };

  std::map<std::uint64_t, std::uint64_t> open_; ///< by message: its handle
  /// How messages ended that may still come to somebody.
  std::map<std::uint64_t, std::pair<std::uint64_t, end>> ended_;
  /// The last message of each handle that each life of a singleton has handled.
  std::map<std::pair<std::uint64_t, token>, std::uint64_t> last_;
  std::uint64_t next_ = 0;
  std::uint64_t handled_ = 0;
  std::uint64_t refused_ = 0;
};

} // namespace paxtor::sim
