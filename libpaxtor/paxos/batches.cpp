#include "libpaxtor/paxos/batches.hpp"

#include <algorithm>

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/paxos/bounds.hpp"

namespace paxtor::paxos {

namespace {

/// Room for msgpack's array32 header, whose count is filled in when the batch is cut.
constexpr std::size_t header_bytes = 5;

struct sink {
  std::string& bytes;
  void write(const char* data, std::size_t size) { bytes.append(data, size); }
};

void write_header(std::string& bytes, std::uint32_t count) {
  bytes[0] = static_cast<char>(0xdd);
  for (int i = 0; i < 4; ++i)
    bytes[static_cast<std::size_t>(1 + i)] = static_cast<char>(count >> (24 - 8 * i));
}

} // namespace

bool usable(const configuration& voters) {
  if (voters.members.empty() || voters.members.size() > max_voters)
    return false;
  for (auto i = voters.members.begin(); i != voters.members.end(); ++i) {
    auto same = [i](const member& m) { return m.id == i->id; };
    if (!i->id.valid() || std::any_of(voters.members.begin(), i, same))
      return false;
  }
  return true;
}

batch make_batch(const std::vector<entry>& entries) {
  return batch{encode(entries)};
}

bool entries_of(const batch& value, std::vector<entry>& out) {
  return decode(value.view(), out);
}

std::optional<configuration> configuration_of(const entry& what) {
  configuration voters;
  if (what.kind == entry_kind::configure && decode(what.data, voters) && usable(voters))
    return voters;
  return std::nullopt;
}

std::optional<configuration> configuration_after(const batch& value) {
  std::vector<entry> entries;
  std::optional<configuration> result;
  if (!entries_of(value, entries))
    return result;
  for (const auto& what : entries) {
    if (auto voters = configuration_of(what))
      result = std::move(voters);
  }
  return result;
}

bool batch_queue::add(const entry& what) {
  if (entries_ >= bounds_.entries_waiting || what.data.size() > max_entry_bytes
      || bytes_ + what.data.size() > max_waiting_bytes)
    return false;
  std::optional<configuration> changes;
  if (what.kind == entry_kind::configure) {
    changes = configuration_of(what);
    if (!changes)
      return false;
  }
  // I7: a configure is the last entry of its batch.
  if (open_.empty() || open_.back().changes || open_.back().count >= bounds_.batch_entries
      || open_.back().bytes.size() + what.data.size() > bounds_.batch_bytes) {
    open_.emplace_back();
    open_.back().bytes.assign(header_bytes, '\0');
  }
  auto& last = open_.back();
  const auto before = last.bytes.size();
  sink out{last.bytes};
  msgpack::packer<sink> packer{out};
  packer.pack(what);
  ++last.count;
  last.changes = std::move(changes);
  ++entries_;
  bytes_ += last.bytes.size() - before;
  return true;
}

batch_queue::ready batch_queue::take() {
  auto first = std::move(open_.front());
  open_.pop_front();
  entries_ -= first.count;
  bytes_ -= first.bytes.size() - header_bytes;
  write_header(first.bytes, first.count);
  return {batch{std::move(first.bytes)}, std::move(first.changes)};
}

} // namespace paxtor::paxos
