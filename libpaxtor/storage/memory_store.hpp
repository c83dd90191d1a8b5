#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/storage/store.hpp"

namespace paxtor::storage {

/// A store that dies with the process. It keeps what it is told all the same, so that a voter can
/// be restarted on it within the process (simulator, tests). It refuses to grow past its bound: a
/// log that is not truncated behind snapshots stops its voter with a reason, not the machine.
class memory_store : public store {
public:
  /// Bytes of values and image that are kept.
  static constexpr std::size_t default_max_bytes = std::size_t{2} << 30;

  explicit memory_store(voter_id self, std::size_t max_bytes = default_max_bytes);

  [[nodiscard]] loaded load() override;
  [[nodiscard]] result append(const std::vector<paxos::write>& writes) override;
  [[nodiscard]] const std::string& describe() const override { return describe_; }
  [[nodiscard]] bool volatile_store() const override { return true; }

  /// Bytes of values and image held now.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

private:
  // One per write.
  void carry_out(const paxos::write_promise& what);
  void carry_out(const paxos::write_accepted& what);
  void carry_out(const paxos::write_truncate& what);
  void carry_out(const paxos::write_snapshot& what);
  void carry_out(const paxos::write_formation& what);

  paxos::recovered state_;
  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  std::string describe_;
};

} // namespace paxtor::storage
