#pragma once

/// \file
/// Small helpers for the tests of single roles of the log.

#include <string>
#include <vector>

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/paxos/batches.hpp"
#include "libpaxtor/paxos/messages.hpp"
#include "libpaxtor/paxos/output.hpp"

namespace paxtor::paxos::test {

using std::chrono::milliseconds;

inline constexpr voter_id a{1}, b{2}, c{3}, d{4};
inline const time_point start{std::chrono::seconds{1}};

inline configuration three() {
  return {{{a, "a"}, {b, "b"}, {c, "c"}}};
}

inline batch value(const std::string& data) {
  return make_batch({entry{entry_kind::command, data}});
}

inline batch change(const configuration& voters) {
  return make_batch({entry{entry_kind::configure, encode(voters)}});
}

inline ballot at(std::uint64_t round, voter_id voter) {
  return {round, voter};
}

/// All messages of one kind to one voter.
template <class T>
std::vector<T> sent(const std::vector<outgoing>& all, voter_id to) {
  std::vector<T> result;
  for (const auto& what : all) {
    const auto* found = std::get_if<T>(&what.what);
    for (auto id : what.to) {
      if (found != nullptr && id == to)
        result.push_back(*found);
    }
  }
  return result;
}

inline recovered blank(voter_id self) {
  recovered x;
  x.self = self;
  return x;
}

} // namespace paxtor::paxos::test
