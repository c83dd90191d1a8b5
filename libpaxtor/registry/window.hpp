#pragma once

/// \file
/// R1: the memory that makes a session's command take effect once. Per session, only the seqs that
/// were applied at or above done_below are kept, with what is needed to answer a repeat.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/registry/commands.hpp"
#include "libpaxtor/registry/effects.hpp"

namespace paxtor::registry {

class image_reader;
class image_writer;

/// What is remembered of one applied command. `state`: the answer is read from state.
struct record {
  enum class kind : std::uint8_t { none, acquire, other };

  kind what = kind::none;
  status code = status::ok;
  token grant;
  /// Refusals that explain themselves. Null for nearly all.
  std::unique_ptr<std::string> detail;
};

/// The applied seqs of one session. Owned by its session.
///
/// W1 every record below `first_gap` is applied; the one at `first_gap` is not.
/// W2 at most `max_window` records.
class window {
public:
  enum class verdict : std::uint8_t { fresh, repeated, below, beyond };

  /// What to do with a command of this origin. Changes nothing.
  [[nodiscard]] verdict judge(const origin& from) const;

  /// The session has all answers below `done_below`. Never goes back.
  void advance(seq done_below);

  /// Marks `number` as applied. REQUIRES: judge() said fresh, or done_below() <= number and less
  /// than max_window above it. The reference is valid until the next advance().
  record& note(seq number, record::kind what);

  /// The record of an applied seq, or null.
  [[nodiscard]] record* find(seq number);

  [[nodiscard]] seq done_below() const { return base_; }

  /// The lowest seq that is not applied: no command below it can take effect any more.
  [[nodiscard]] seq first_gap() const { return first_gap_; }

  void clear();

  void save(image_writer& out) const;
  [[nodiscard]] bool load(image_reader& in);

private:
  seq base_{1};
  seq first_gap_{1};
  std::deque<record> records_; // records_[i] is of seq base_ + i
};

/// Things that a command ended while commands with lower seqs were still to come: those must find
/// them ended. Kept until no lower seq can be applied (`window::first_gap` has passed); in a
/// session whose commands are decided in order nothing is ever kept.
template <class Key>
class tombstones {
public:
  void add(const Key& key, seq at) {
    auto [pos, fresh] = by_key_.try_emplace(key, at);
    if (!fresh) {
      if (pos->second >= at)
        return;
      by_seq_.erase(pos->second);
      pos->second = at;
    }
    by_seq_.emplace(at, key);
  }

  /// True if a command numbered above `number` ended `key`.
  [[nodiscard]] bool ended_after(const Key& key, seq number) const {
    if (by_key_.empty())
      return false;
    auto pos = by_key_.find(key);
    return pos != by_key_.end() && pos->second > number;
  }

  [[nodiscard]] bool contains(const Key& key) const {
    return !by_key_.empty() && by_key_.contains(key);
  }

  void drop_below(seq first_gap) {
    while (!by_seq_.empty() && by_seq_.begin()->first < first_gap) {
      by_key_.erase(by_seq_.begin()->second);
      by_seq_.erase(by_seq_.begin());
    }
  }

  void clear() {
    by_key_.clear();
    by_seq_.clear();
  }

  [[nodiscard]] const std::map<seq, Key>& by_seq() const { return by_seq_; }

private:
  std::map<Key, seq> by_key_;
  std::map<seq, Key> by_seq_;
};

} // namespace paxtor::registry
