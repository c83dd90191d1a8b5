#include "actors/name_book.hpp"

#include <utility>

#include <caf/actor_config.hpp>
#include <caf/exit_reason.hpp>
#include <caf/make_actor.hpp>

#include <paxtor/error.hpp>

#include "actors/named_handle.hpp"
#include "libpaxtor/base/codec.hpp"

namespace paxtor::actors {

void named_handle::on_destroy() {
  // What waits in the cell is still delivered: the keeper holds on to the cell meanwhile.
  cell_->released();
  caf::monitorable_actor::on_destroy();
}

name_book::cell_key name_book::key_of(const term& name, const registry::singleton_spec& spec,
                                      const std::set<std::string>& interface) {
  return {name.text(), encode(spec), interface};
}

caf::strong_actor_ptr name_book::handle(const term& name, const registry::singleton_spec& spec,
                                        const std::set<std::string>& interface) {
  // Whatever is destroyed here is destroyed after the mutex is free: an actor's end may call
  // anything.
  caf::strong_actor_ptr result;
  std::shared_ptr<name_cell> cell;
  std::lock_guard guard{mutex_};
  auto& entry = cells_[key_of(name, spec, interface)];
  if (!entry) {
    entry = std::make_shared<name_cell>(name, spec, interface, shared_from_this());
    if (closed_)
      entry->close(closed_);
  }
  cell = entry;
  if (closed_)
    cells_.erase(key_of(name, spec, interface));
  result = caf::actor_cast<caf::strong_actor_ptr>(cell->handle);
  if (result)
    return result;
  caf::actor_config cfg;
  result = caf::make_actor<named_handle, caf::strong_actor_ptr>(sys_.next_actor_id(), sys_.node(),
                                                                &sys_, cfg, cell);
  cell->users.fetch_add(1);
  cell->handle = caf::actor_cast<caf::weak_actor_ptr>(result);
  return result;
}

void name_book::keeper(caf::actor who) {
  std::lock_guard guard{keeper_mutex_};
  keeper_ = std::move(who);
}

caf::actor name_book::current_keeper() const {
  std::lock_guard guard{keeper_mutex_};
  return keeper_;
}

bool name_book::retire(const std::shared_ptr<name_cell>& cell) {
  std::lock_guard guard{mutex_};
  if (cell->users.load() > 0)
    return false;
  auto i = cells_.find(key_of(cell->name(), cell->spec(), cell->interface()));
  if (i != cells_.end() && i->second == cell)
    cells_.erase(i);
  return true;
}

void name_book::close(const caf::error& why) {
  keeper({});
  std::map<cell_key, std::shared_ptr<name_cell>> closing;
  std::vector<caf::strong_actor_ptr> handles;
  {
    std::lock_guard guard{mutex_};
    closed_ = why;
    closing.swap(cells_);
    for (const auto& [key, cell] : closing)
      if (auto handle = caf::actor_cast<caf::strong_actor_ptr>(cell->handle))
        handles.push_back(std::move(handle));
  }
  for (const auto& [key, cell] : closing)
    cell->close(why);
  for (const auto& handle : handles)
    static_cast<named_handle*>(handle->get())->cleanup(caf::error{why}, nullptr);
}

std::size_t name_book::size() const {
  std::lock_guard guard{mutex_};
  return cells_.size();
}

} // namespace paxtor::actors
