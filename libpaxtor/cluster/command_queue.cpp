#include "libpaxtor/cluster/command_queue.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "libpaxtor/base/check.hpp"
#include "libpaxtor/base/codec.hpp"

namespace paxtor::cluster {

namespace {

// Those without an origin never come here; the others all carry it under the same name.
struct set_origin {
  registry::origin from;

  void operator()(registry::open_session&) const {}
  void operator()(registry::close_session&) const {}
  void operator()(registry::expire_session&) const {}
  void operator()(registry::certify_end&) const {}

  template <class T>
  void operator()(T& x) const {
    x.from = from;
  }
};

} // namespace

seq command_queue::done_below() const {
  return open_.empty() ? next_ : open_.begin()->first;
}

void command_queue::push(registry::command what, request_id request) {
  backlog_.push_back({std::move(what), request, false, true, {}, 0});
}

std::vector<std::string>
command_queue::take(time_point now, session_id session,
                    const std::function<void(const registry::command&)>& first) {
  while (!backlog_.empty() && next_.value - done_below().value < registry::max_window) {
    auto [i, fresh] = open_.emplace(next_, std::move(backlog_.front()));
    PAXTOR_CHECK("I20", fresh);
    backlog_.pop_front();
    if (i->second.request.valid())
      by_request_[i->second.request] = next_;
    next_ = next_.next();
  }
  std::vector<std::string> result;
  for (auto i = open_.lower_bound(look_from_); i != open_.end(); ++i) {
    auto& [number, x] = *i;
    if (!x.to_send)
      continue;
    if (!x.ever_sent)
      first(x.what);
    // done_below is of this moment, so it is set anew each time.
    std::visit(set_origin{{session, number, done_below()}}, x.what);
    result.push_back(encode(x.what));
    x.to_send = false;
    x.ever_sent = true;
    x.sent_at = now;
    ++x.tries;
  }
  look_from_ = next_;
  if (!last_look_)
    last_look_ = now;
  return result;
}

void command_queue::send_again() {
  look_from_ = seq{1};
  for (auto& [number, x] : open_)
    x.to_send = true;
}

void command_queue::send_again_if_due(time_point now, duration quick, duration slow) {
  if (open_.empty() || (last_look_ && now < *last_look_ + quick))
    return;
  last_look_ = now;
  for (auto& [number, x] : open_) {
    auto wait = x.tries >= 8 ? slow : std::min(slow, quick * (1 << x.tries));
    if (!x.to_send && now - x.sent_at >= wait) {
      x.to_send = true;
      look_from_ = std::min(look_from_, number);
    }
  }
}

const command_queue::item* command_queue::find(seq number) const {
  auto i = open_.find(number);
  return i == open_.end() ? nullptr : &i->second;
}

std::optional<seq> command_queue::number_of(request_id request) const {
  auto i = by_request_.find(request);
  return i == by_request_.end() ? std::nullopt : std::optional{i->second};
}

std::optional<command_queue::item> command_queue::done(seq number) {
  auto i = open_.find(number);
  if (i == open_.end())
    return std::nullopt;
  auto result = std::move(i->second);
  open_.erase(i);
  by_request_.erase(result.request);
  return result;
}

command_queue::dropped command_queue::drop(request_id request) {
  if (auto i = by_request_.find(request); i != by_request_.end()) {
    auto item = open_.extract(i->second);
    by_request_.erase(i);
    return item.mapped().ever_sent ? dropped::sent : dropped::unsent;
  }
  auto i = std::find_if(backlog_.begin(), backlog_.end(),
                        [&](const item& x) { return x.request == request; });
  if (i == backlog_.end())
    return dropped::absent;
  backlog_.erase(i);
  return dropped::unsent;
}

void command_queue::keep_if(const std::function<bool(const registry::command&)>& wanted) {
  auto forget = [&](const item& x) {
    if (wanted(x.what))
      return false;
    by_request_.erase(x.request);
    return true;
  };
  std::erase_if(backlog_, forget);
  std::erase_if(open_, [&](const auto& x) { return forget(x.second); });
}

std::vector<command_queue::item> command_queue::start_over() {
  std::vector<item> result;
  for (auto& [number, x] : open_)
    result.push_back(std::move(x));
  result.insert(result.end(), std::make_move_iterator(backlog_.begin()),
                std::make_move_iterator(backlog_.end()));
  backlog_.clear();
  open_.clear();
  by_request_.clear();
  next_ = seq{1};
  look_from_ = seq{1};
  last_look_.reset();
  return result;
}

std::optional<time_point> command_queue::next_wake(duration quick) const {
  if (open_.empty() || !last_look_)
    return std::nullopt;
  return *last_look_ + quick;
}

} // namespace paxtor::cluster
