#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "libpaxtor/storage/store.hpp"

namespace paxtor::actors {

/// A voter's store, shared by its actors. A volatile one is written in place, which needs no thread
/// of its own. Whether that is also faster than the hop to the storage actor and back is open: on a
/// busy machine the difference was lost in the noise.
class store_access {
public:
  explicit store_access(std::unique_ptr<storage::store> store) : store_(std::move(store)) {}

  [[nodiscard]] storage::loaded load() {
    std::lock_guard guard{mutex_};
    return store_->load();
  }

  [[nodiscard]] storage::result append(const std::vector<paxos::write>& writes) {
    std::lock_guard guard{mutex_};
    return store_->append(writes);
  }

  [[nodiscard]] storage::part_written write_part(const paxos::write_snapshot& what) {
    std::lock_guard guard{mutex_};
    return store_->write_part(what);
  }

  [[nodiscard]] bool in_place() const { return store_->volatile_store(); }
  [[nodiscard]] const std::string& describe() const { return store_->describe(); }

private:
  std::mutex mutex_;
  std::unique_ptr<storage::store> store_;
};

} // namespace paxtor::actors
