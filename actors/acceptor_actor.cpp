#include "actors/acceptor_actor.hpp"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <utility>

#include <nlohmann/json.hpp>

#include "libpaxtor/paxos/acceptor.hpp"

namespace paxtor::actors {

class acceptor_actor::desk final : public written_hook {
public:
  desk(const paxos::recovered& state, const outbox& out)
      : role_(state), out_(std::make_shared<const outbox>(out)) {}

  /// Calls `use` with the role; nobody else uses it meanwhile.
  template <class Use>
  auto with(Use use) {
    std::lock_guard guard{mutex_};
    return use(role_);
  }

  void written(write_id upto) override {
    std::vector<paxos::outgoing> released;
    std::shared_ptr<const outbox> out;
    {
      std::lock_guard guard{mutex_};
      role_.persisted(upto);
      released = role_.take_released();
      out = out_;
    }
    // The I/O thread may wait for the mutex, so nothing is sent under it.
    if (out)
      out->send(std::move(released));
  }

  /// Nothing leaves any more, but for what is on its way.
  void close() {
    std::lock_guard guard{mutex_};
    out_.reset();
  }

private:
  std::mutex mutex_;
  paxos::acceptor role_;
  std::shared_ptr<const outbox> out_;
};

acceptor_actor::~acceptor_actor() = default;

void acceptor_actor::on_exit() {
  // The storage actor may have the desk still.
  if (desk_)
    desk_->close();
  desk_ = nullptr;
  kept_back_.clear();
  role_actor::on_exit();
}

bool acceptor_actor::is_little_work(const caf::type_erased_tuple& what) const {
  return is_small_frame(what) || what.match_elements<own_message>();
}

void acceptor_actor::start(const role_start& begin) {
  desk_ = std::make_shared<desk>(*begin.state, out());
}

void acceptor_actor::step(voter_id from, const paxos::message& what) {
  accepts_alone_ = accepts_alone_ && std::holds_alternative<paxos::accept>(what);
  desk_->with([&](paxos::acceptor& role) { role.step(from, what); });
}

void acceptor_actor::persisted(write_id upto) {
  desk_->with([&](paxos::acceptor& role) { role.persisted(upto); });
}

std::shared_ptr<written_hook> acceptor_actor::when_written() {
  return desk_;
}

void acceptor_actor::flush() {
  // One write for all that arrived. What rests on it is held inside the role until `persisted` (L1,
  // I3).
  for (;;) {
    auto out = desk_->with([](paxos::acceptor& role) { return role.take_output(); });
    if (out.send.empty() && out.writes.empty())
      break;
    keep_back(out.send);
    // The leader waits for the disk, nobody for what leaves at once.
    write(std::move(out.writes));
    send_out(std::move(out.send));
  }
  accepts_alone_ = true;
}

void acceptor_actor::keep_back(std::vector<paxos::outgoing>& all) {
  const auto news = std::stable_partition(all.begin(), all.end(), [this](const auto& one) {
    return one.to_role != paxos::role::learner || one.to != std::vector{setup().self}
           || !(std::holds_alternative<paxos::accepted_here>(one.what)
                || std::holds_alternative<paxos::observed>(one.what));
  });
  kept_back_.insert(kept_back_.end(), std::make_move_iterator(news),
                    std::make_move_iterator(all.end()));
  all.erase(news, all.end());
  if (accepts_alone_ && kept_back_.size() < max_kept_back)
    return;
  all.insert(all.end(), std::make_move_iterator(kept_back_.begin()),
             std::make_move_iterator(kept_back_.end()));
  kept_back_.clear();
}

std::string acceptor_actor::status() const {
  nlohmann::json result;
  result["dropped_frames"] = dropped();
  if (desk_)
    desk_->with([&](const paxos::acceptor& role) {
      result["promised"] = to_string(role.promised());
      result["slots_held"] = role.slots_held();
      result["truncated_upto"] = role.truncated_upto().value;
      result["dropped"] = role.dropped();
    });
  return result.dump();
}

} // namespace paxtor::actors
