#include "test/sim/mail.hpp"

#include <algorithm>
#include <set>

namespace paxtor::sim {

void mail::send(process_number from, process_number to, letter what,
                std::optional<std::uint64_t> only_link) {
  const auto cut = from != to && (net_.is_cut(from, to) || net_.is_cut(to, from));
  if (cut)
    end_link(from, to);
  auto& by = all_[{from, to}];
  if (cut || (only_link && *only_link != by.link)) {
    if (what.what == letter::kind::message)
      letters_.lost(what.message);
    return;
  }
  auto takes = from == to ? duration{1} : draw(random_, how_.delay_min, how_.delay_max);
  by.last = std::max(by.last, events_.now() + takes);
  by.under_way.push_back(std::move(what));
  events_.at(by.last, [this, from, to, link = by.link] { arrive(from, to, link); });
}

void mail::arrive(process_number from, process_number to, std::uint64_t link) {
  auto& by = all_[{from, to}];
  if (by.link != link)
    return;
  if (from != to && (net_.is_cut(from, to) || net_.is_cut(to, from)))
    return end_link(from, to);
  by.arrived.push_back(std::move(by.under_way.front()));
  by.under_way.pop_front();
  if (!arrives_(to, from))
    end_link(from, to);
}

std::optional<letter> mail::take(process_number to, process_number from) {
  auto& arrived = all_[{from, to}].arrived;
  if (arrived.empty())
    return std::nullopt;
  auto what = std::move(arrived.front());
  arrived.pop_front();
  return what;
}

void mail::end_link(process_number one, process_number other) {
  end_direction(one, other);
  end_direction(other, one);
}

void mail::end_direction(process_number from, process_number to) {
  auto& by = all_[{from, to}];
  ++by.link;
  lose(by.under_way);
  letter end;
  end.what = letter::kind::link_ended;
  by.arrived.push_back(std::move(end));
  if (!arrives_(to, from))
    lose(by.arrived);
}

void mail::lose(std::deque<letter>& what) {
  for (const auto& x : what)
    if (x.what == letter::kind::message)
      letters_.lost(x.message);
  what.clear();
}

void mail::process_ended(process_number which) {
  std::set<process_number> peers;
  for (auto& [ends, by] : all_) {
    if (ends.second == which)
      lose(by.arrived);
    if (ends.first == which || ends.second == which)
      peers.insert(ends.first == which ? ends.second : ends.first);
  }
  for (auto peer : peers)
    end_link(which, peer);
  for (auto& [ends, by] : all_)
    if (ends.second == which)
      lose(by.arrived);
}

} // namespace paxtor::sim
