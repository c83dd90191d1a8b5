#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "libpaxtor/base/blob.hpp"
#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/paxos/config.hpp"
#include "test/sim/finding.hpp"

namespace paxtor::sim {

/// Agreement, judged from what lies durably in the stores and not from what the roles believe (L2):
/// one ballot has one value per slot; a value that a majority of the slot's distinct voters
/// accepted in one ballot is chosen; no later ballot may accept another. The voters of a slot
/// follow from the chosen values before it (L6), so slots are judged in order. Also: registries at
/// the same index are equal.
class agreement_checker {
public:
  struct choice {
    ballot at;
    blob value;
  };

  /// `first`: the voters of the first slot.
  explicit agreement_checker(paxos::configuration first) { voters_[slot{1}] = std::move(first); }

  /// `by` has durably accepted `value` in `where` at `at`.
  [[nodiscard]] verdict accepted(voter_id by, slot where, ballot at, const blob& value);

  /// `by` takes `value` for decided in `where`: it hands it out, or to a learner.
  [[nodiscard]] verdict decided(voter_id by, slot where, const blob& value) const;

  /// The registry of `by` after `last` has this image.
  [[nodiscard]] verdict image(voter_id by, index last, std::uint64_t image_digest);

  /// What is chosen in `where`; null if nothing is.
  [[nodiscard]] const choice* chosen(slot where) const;

  /// The last slot such that all up to it are chosen.
  [[nodiscard]] slot chosen_upto() const { return slot{chosen_.size()}; }

  /// REQUIRES: all before `where` are chosen.
  [[nodiscard]] const paxos::configuration& voters_of(slot where) const {
    return std::prev(voters_.upper_bound(where))->second;
  }

  /// The voters of the first slot in which nothing is chosen.
  [[nodiscard]] const paxos::configuration& newest_voters() const {
    return voters_.rbegin()->second;
  }

  [[nodiscard]] std::uint64_t slots_chosen() const { return chosen_.size(); }
  [[nodiscard]] std::uint64_t configurations() const { return voters_.size(); }
  [[nodiscard]] std::uint64_t images_compared() const { return compared_; }

private:
  struct tally {
    blob value;
    std::set<voter_id> voters;
  };

  struct seen_image {
    voter_id by;
    std::uint64_t image_digest = 0;
  };

  [[nodiscard]] static bool has_majority(const tally& of, const paxos::configuration& voters);
  [[nodiscard]] verdict choose_next();
  [[nodiscard]] verdict judge(slot where, ballot at, voter_id by) const;

  /// Per slot, what was accepted in each ballot.
  std::map<slot, std::map<ballot, tally>> tallies_;
  std::map<slot, choice> chosen_; // 1, 2, 3 ...
  /// From which slot on who votes.
  std::map<slot, paxos::configuration> voters_;
  std::map<index, seen_image> images_;
  std::uint64_t compared_ = 0;
};

} // namespace paxtor::sim
