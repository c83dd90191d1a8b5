#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "libpaxtor/base/blob.hpp"
#include "libpaxtor/base/ids.hpp"
#include "test/sim/finding.hpp"

namespace paxtor::sim {

/// Agreement, judged from what lies durably in the stores and not from what the roles believe (L2):
/// one ballot has one value per slot; a value that a majority of distinct voters accepted in one
/// ballot is chosen; no later ballot may accept another. Also: registries at the same index are
/// equal. The voters are fixed: this release's simulator changes no membership.
class agreement_checker {
public:
  explicit agreement_checker(std::size_t voters) : majority_(voters / 2 + 1) {}

  /// `by` has durably accepted `value` in `where` at `at`.
  [[nodiscard]] verdict accepted(voter_id by, slot where, ballot at, const blob& value);

  /// `by` says that `value` is decided in `where` (it hands it to a learner).
  [[nodiscard]] verdict decided(voter_id by, slot where, const blob& value);

  /// The registry of `by` after `last` has this image.
  [[nodiscard]] verdict image(voter_id by, index last, std::uint64_t image_digest);

  [[nodiscard]] std::uint64_t slots_chosen() const { return chosen_.size(); }
  [[nodiscard]] std::uint64_t images_compared() const { return compared_; }

private:
  struct tally {
    blob value;
    std::set<voter_id> voters;
  };

  struct choice {
    ballot at;
    blob value;
  };

  struct seen_image {
    voter_id by;
    std::uint64_t image_digest = 0;
  };

  std::size_t majority_;
  std::map<slot, std::map<ballot, tally>> tallies_;
  std::map<slot, choice> chosen_;
  std::map<index, seen_image> images_;
  std::uint64_t compared_ = 0;
};

} // namespace paxtor::sim
