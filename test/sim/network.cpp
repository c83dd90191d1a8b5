#include "test/sim/network.hpp"

#include <algorithm>
#include <chrono>
#include <string>

#include "test/sim/describe.hpp"

namespace paxtor::sim {

using namespace std::chrono_literals;

network::network(event_queue& events, journal& story, court& judge, stats& counts, const knobs& how,
                 generator random)
    : events_(events), story_(story), judge_(judge), counts_(counts), how_(how), random_(random) {}

void network::heal(process_number from, process_number to) {
  auto i = cuts_.find({from, to});
  if (i != cuts_.end() && --i->second == 0)
    cuts_.erase(i);
}

void network::calm() {
  cuts_.clear();
  how_.loss_percent = 0;
  how_.repeat_percent = 0;
  how_.slow_percent = 0;
}

duration network::delay() {
  if (random_.chance(how_.slow_percent))
    return draw(random_, how_.delay_max, std::max(how_.delay_max, how_.delay_slow));
  return draw(random_, how_.delay_min, how_.delay_max);
}

bool network::through_bytes(const cluster::frame& what, packet& out) {
  auto bytes = cluster::encode_frame(what);
  auto copy = std::make_shared<cluster::frame>();
  auto error = cluster::decode_frame(bytes, *copy);
  if (error != cluster::frame_error::none) {
    judge_.hear(wrong("frames", "an own frame does not decode ("
                                  + std::string{cluster::to_string(error)}
                                  + "): " + describe(what)));
    return false;
  }
  out = std::move(copy);
  return true;
}

void network::send(process_number from, process_number to, cluster::frame what) {
  ++counts_.messages;
  packet carried;
  if (!how_.through_bytes)
    carried = std::make_shared<const cluster::frame>(std::move(what));
  else if (!through_bytes(what, carried))
    return;
  // Within a process nothing is ever lost.
  if (from != to && (is_cut(from, to) || random_.chance(how_.loss_percent))) {
    ++counts_.messages_lost;
    story_.note(events_.now(), 1, [&] {
      return "p" + std::to_string(from) + " -x p" + std::to_string(to) + " lost "
             + describe(*carried);
    });
    return;
  }
  if (from != to && random_.chance(how_.repeat_percent))
    deliver_later(from, to, carried);
  deliver_later(from, to, std::move(carried));
}

void network::deliver_later(process_number from, process_number to, packet what) {
  auto when = events_.now() + (from == to ? draw(random_, 1us, 50us) : delay());
  if (how_.in_order || from == to) {
    auto& last = last_arrival_[{from, to}];
    when = std::max(when, last);
    last = when;
  }
  events_.at(when, [this, from, to, what = std::move(what)] {
    // A cut that began while it travelled swallows it as well.
    if (from != to && is_cut(from, to))
      return;
    deliver_(to, from, what);
  });
}

} // namespace paxtor::sim
