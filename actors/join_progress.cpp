#include "actors/join_progress.hpp"

#include <algorithm>
#include <utility>

#include <paxtor/error.hpp>

namespace paxtor::actors {

namespace {

/// Different refusals that are kept for the error text.
constexpr std::size_t max_refusals = 5;

std::string seconds(std::chrono::milliseconds x) {
  auto text = std::to_string(x.count() / 1000) + "." + std::to_string(x.count() % 1000 / 100);
  return text + " s";
}

} // namespace

void join_progress::linked(const std::string& node) {
  std::lock_guard guard{mutex_};
  links_.insert(node);
}

void join_progress::unlinked(const std::string& node) {
  std::lock_guard guard{mutex_};
  links_.erase(node);
}

void join_progress::turned_away(const std::string& why) {
  std::lock_guard guard{mutex_};
  if (refusals_.size() < max_refusals
      && std::find(refusals_.begin(), refusals_.end(), why) == refusals_.end())
    refusals_.push_back(why);
}

void join_progress::formed() {
  std::lock_guard guard{mutex_};
  formed_ = true;
}

void join_progress::joined() {
  std::lock_guard guard{mutex_};
  joined_ = true;
  changed_.notify_all();
}

void join_progress::refused(caf::error why) {
  std::lock_guard guard{mutex_};
  refused_ = std::move(why);
  changed_.notify_all();
}

void join_progress::name_taken(std::string detail) {
  std::lock_guard guard{mutex_};
  taken_ = std::move(detail);
}

void join_progress::left() {
  std::lock_guard guard{mutex_};
  left_ = true;
  changed_.notify_all();
}

void join_progress::guarded(bool now) {
  std::lock_guard guard{mutex_};
  guarded_ = now;
  changed_.notify_all();
}

bool join_progress::wait_unguarded(std::chrono::milliseconds timeout) {
  std::unique_lock guard{mutex_};
  return changed_.wait_for(guard, timeout, [this] { return !guarded_; });
}

auto join_progress::wait(std::chrono::milliseconds timeout) -> outcome {
  std::unique_lock guard{mutex_};
  changed_.wait_for(guard, timeout, [this] { return joined_ || refused_ || left_; });
  if (joined_)
    return outcome::joined;
  return refused_ || left_ ? outcome::refused : outcome::timed_out;
}

bool join_progress::wait_left(std::chrono::milliseconds timeout) {
  std::unique_lock guard{mutex_};
  return changed_.wait_for(guard, timeout, [this] { return left_; });
}

caf::error join_progress::explain(const std::vector<std::string>& voters, const std::string& self,
                                  std::chrono::milliseconds waited) const {
  std::lock_guard guard{mutex_};
  if (refused_)
    return *refused_;
  if (left_)
    return make_error(errc::not_joined, "the node was told to leave while it joined");
  if (!taken_.empty())
    return make_error(errc::name_taken, taken_);
  std::string silent;
  std::size_t answering = 0;
  for (const auto& name : voters) {
    if (name == self || links_.count(name) != 0)
      ++answering;
    else
      silent += (silent.empty() ? "" : ", ") + name;
  }
  if (!refusals_.empty() && answering <= voters.size() / 2) {
    // With nobody else to ask, a refusal is the reason. The others mostly say the same of others.
    auto text = refusals_.front();
    if (refusals_.size() > 1)
      text += " (" + std::to_string(refusals_.size() - 1) + " more turned this node away)";
    return make_error(errc::wrong_cluster, std::move(text));
  }
  std::string text = "the cluster was not joined within " + seconds(waited) + ": ";
  if (!silent.empty())
    text +=
      "no link to " + silent + " (are they running, and are the addresses in paxtor.voters right?)";
  else if (formed_)
    text += "all voters are linked, but no leader answered";
  else
    text += "all voters are linked, but they have not formed a cluster";
  if (!silent.empty() && answering > voters.size() / 2 && !formed_)
    text += "; a new cluster needs all of its initial voters once";
  for (const auto& why : refusals_)
    text += "; " + why;
  return make_error(errc::timed_out, std::move(text));
}

} // namespace paxtor::actors
