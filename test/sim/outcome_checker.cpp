#include "test/sim/outcome_checker.hpp"

namespace paxtor::sim {

namespace {

std::string name_of(const asked_request& which) {
  return "p" + std::to_string(which.process) + "." + std::to_string(which.life) + " request "
         + to_string(which.id);
}

} // namespace

verdict outcome_checker::asked(moment now, const asked_request& which, std::string what) {
  ++asked_;
  auto& highest = highest_[{which.process, which.life}];
  if (which.id <= highest)
    return wrong("one outcome", name_of(which) + ": the id is not new");
  highest = which.id;
  open_.emplace(which, pending{now, std::move(what)});
  return {};
}

verdict outcome_checker::completed(const asked_request& which) {
  ++completed_;
  if (open_.erase(which) == 1)
    return {};
  auto i = highest_.find({which.process, which.life});
  if (i != highest_.end() && which.id <= i->second)
    return wrong("one outcome", name_of(which) + " completed twice");
  return wrong("one outcome", name_of(which) + " completed, but nobody asked it");
}

void outcome_checker::process_ended(unsigned process, std::uint64_t life) {
  asked_request from{process, life, cluster::request_id{}};
  asked_request to{process, life + 1, cluster::request_id{}};
  open_.erase(open_.lower_bound(from), open_.lower_bound(to));
  highest_.erase({process, life});
}

std::string outcome_checker::unanswered(std::size_t limit) const {
  std::string out;
  for (const auto& [which, what] : open_) {
    if (limit-- == 0)
      return out + ", ...";
    out += (out.empty() ? "" : ", ") + name_of(which) + " (" + what.what + ", since "
           + to_string(what.since) + ")";
  }
  return out;
}

} // namespace paxtor::sim
