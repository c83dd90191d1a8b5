#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace paxtor::sim {

/// Which seeds a campaign runs, in order: listed ones, or all from one on.
class seed_source {
public:
  void add(std::uint64_t seed) { listed_.push_back(seed); }
  void endless_from(std::uint64_t first) { endless_ = first; }

  /// Adds `7` or `1-2000`. Returns false, having added nothing, if `text` is no such range or has
  /// more than 100 million seeds.
  [[nodiscard]] bool add_range(std::string_view text);

  /// Adds the seeds of a file: one a line; what follows it says why it is kept. `#` begins a
  /// remark. Returns false if the file cannot be read.
  [[nodiscard]] bool add_file(const std::string& path);

  /// The seed at this place; nullopt behind the last.
  [[nodiscard]] std::optional<std::uint64_t> at(std::size_t place) const {
    if (endless_)
      return *endless_ + place;
    return place < listed_.size() ? std::optional{listed_[place]} : std::nullopt;
  }

  [[nodiscard]] bool empty() const { return !endless_ && listed_.empty(); }
  [[nodiscard]] bool is_endless() const { return endless_.has_value(); }
  /// How many are listed.
  [[nodiscard]] std::size_t size() const { return listed_.size(); }

private:
  std::vector<std::uint64_t> listed_;
  std::optional<std::uint64_t> endless_;
};

} // namespace paxtor::sim
