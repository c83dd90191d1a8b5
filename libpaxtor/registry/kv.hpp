#pragma once

/// \file
/// Put-once entries: the value chosen first stays, until its owner ends if it has one.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/term.hpp"

namespace paxtor::registry {

class image_reader;
class image_writer;

/// The most entries in all buckets. Beyond, a put is refused as invalid.
inline constexpr std::size_t max_kv_entries = std::size_t{1} << 20;

class kv {
public:
  struct entry {
    std::string value;
    std::optional<owner_id> owner;
    index since;
  };
  using bucket = std::map<term, entry>;

  /// Chooses `value` unless there is one already. Null: the store is full.
  const entry* put(index at, const std::string& name, const term& key, const std::string& value,
                   std::optional<owner_id> owner);

  [[nodiscard]] const entry* get(const std::string& name, const term& key) const;
  /// Null if it is empty.
  [[nodiscard]] const bucket* list(const std::string& name) const;

  /// Both return how many entries went.
  std::size_t end_owner(owner_id who);
  std::size_t end_session(session_id who);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t owned() const { return owned_.size(); }
  [[nodiscard]] const std::map<std::string, bucket>& all() const { return buckets_; }

  /// The broken invariant, or null.
  [[nodiscard]] const char* audit() const;

  void save(image_writer& out) const;
  /// REQUIRES: empty.
  [[nodiscard]] bool load(image_reader& in);

private:
  struct owned_entry {
    owner_id owner;
    index since; // unique: an entry of the log makes one entry here
    std::map<std::string, bucket>::iterator where;
    bucket::iterator what;

    bool operator<(const owned_entry& x) const {
      return owner != x.owner ? owner < x.owner : since < x.since;
    }
  };

  std::size_t end_range(owner_id first, owner_id last);

  std::map<std::string, bucket> buckets_;
  std::set<owned_entry> owned_;
  std::size_t size_ = 0;
};

} // namespace paxtor::registry
