#include "test/sim/mail_checker.hpp"

namespace paxtor::sim {

namespace {

constexpr const char* rule = "messages to a name";

std::string name_of(std::uint64_t message, std::uint64_t handle) {
  return "message " + std::to_string(message) + " of handle " + std::to_string(handle);
}

} // namespace

std::uint64_t mail_checker::sent(std::uint64_t handle) {
  open_.emplace(++next_, handle);
  return next_;
}

std::string mail_checker::one_under_way() const {
  return open_.empty() ? "" : name_of(open_.begin()->first, open_.begin()->second);
}

verdict mail_checker::handled(std::uint64_t message, token life, const std::string& by) {
  ++handled_;
  auto was = ended_.find(message);
  if (was != ended_.end() && was->second.second != end::lost)
    return wrong(rule, name_of(message, was->second.first) + " is handled by " + by + ", but was "
                         + (was->second.second == end::refused ? "refused" : "handled before"));
  auto i = open_.find(message);
  if (was == ended_.end() && i == open_.end())
    return wrong(rule, "message " + std::to_string(message) + " is handled by " + by
                         + ", but nobody sent it");
  const auto handle = was != ended_.end() ? was->second.first : i->second;
  auto& last = last_[{handle, life}];
  if (message < last)
    return wrong(rule, name_of(message, handle) + " is handled by " + by + " after message "
                         + std::to_string(last) + ", which was sent later");
  last = message;
  ended_[message] = {handle, end::handled};
  open_.erase(message);
  return {};
}

verdict mail_checker::refused(std::uint64_t message, const std::string& why) {
  ++refused_;
  auto i = open_.find(message);
  if (i == open_.end())
    return wrong(rule, "message " + std::to_string(message) + " is refused (" + why
                         + "), but it has been handled, refused or lost before");
  ended_[message] = {i->second, end::refused};
  open_.erase(i);
  return {};
}

void mail_checker::lost(std::uint64_t message) {
  auto i = open_.find(message);
  if (i == open_.end())
    return;
  ended_[message] = {i->second, end::lost};
  open_.erase(i);
}

verdict mail_checker::missed(std::uint64_t message, const std::string& where) const {
  auto i = open_.find(message);
  return wrong(rule, name_of(message, i == open_.end() ? 0 : i->second) + " comes to " + where
                       + " after that has moved, in good order");
}

} // namespace paxtor::sim
