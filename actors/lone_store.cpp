#include "actors/lone_store.hpp"

#include <filesystem>
#include <optional>
#include <random>
#include <utility>

#include <paxtor/error.hpp>

#include "actors/data_dir.hpp"
#include "libpaxtor/base/random.hpp"
#include "libpaxtor/cluster/new_cluster.hpp"
#include "libpaxtor/storage/sqlite_store.hpp"

namespace paxtor::actors {

struct lone_store::impl {
  std::unique_ptr<data_dir> directory;
  std::optional<storage::sqlite_store> store;
  paxos::recovered state;
  outlook future;
};

lone_store::lone_store() : impl_(std::make_unique<impl>()) {}

lone_store::~lone_store() = default;

caf::expected<std::unique_ptr<lone_store>> lone_store::open(const std::string& directory,
                                                            const std::string& name) {
  // Before the lock, which would make the directory.
  const auto file = directory + "/" + storage::sqlite_store::file_name;
  std::error_code problem;
  if (!std::filesystem::exists(file, problem))
    return make_error(errc::cannot_open, "there is no " + file + ": no voter keeps its log here");
  auto locked = data_dir::open(directory, "paxtor store");
  if (!locked)
    return std::move(locked.error());
  std::unique_ptr<lone_store> result{new lone_store};
  auto& x = *result->impl_;
  x.directory = std::move(*locked);
  std::random_device source;
  const auto fresh = generator{(std::uint64_t{source()} << 32) | source()}.make_id<voter_id>();
  x.store.emplace(directory, fresh, storage::sqlite_store::access::adopt);
  const auto old = x.store->load();
  if (!old.outcome.ok())
    return make_error(errc::cannot_open, old.outcome.why);
  auto made = cluster::force_new_cluster(old.state, fresh, name);
  if (!made.why.empty())
    return make_error(errc::cannot_open, directory + ": " + made.why);
  const auto& formation = *made.state.formation;
  x.future = {made.old_cluster,
              formation.cluster,
              formation.voters.members.front().name,
              fresh,
              made.state.snapshot ? made.state.snapshot->upto : slot{},
              made.applied,
              made.left_out};
  x.state = std::move(made.state);
  return result;
}

const lone_store::outlook& lone_store::future() const {
  return impl_->future;
}

caf::error lone_store::carry_out() {
  const auto done = impl_->store->replace(impl_->state);
  return done.ok() ? caf::error{} : make_error(errc::cannot_open, done.why);
}

} // namespace paxtor::actors
