#include "test/sim/network.hpp"

#include <algorithm>
#include <chrono>
#include <string>

#include "test/sim/describe.hpp"

namespace paxtor::sim {

using namespace std::chrono_literals;

network::network(event_queue& events, journal& story, court& judge, stats& counts, const knobs& how,
                 generator random)
    : events_(events),
      story_(story),
      judge_(judge),
      counts_(counts),
      how_(how),
      processes_(how.voters + how.clients),
      directions_(std::size_t{processes_} * processes_) {
  for (unsigned i = 0; i < how.salt; ++i)
    (void)random.next();
  for (auto& x : directions_) {
    x.random = random.fork();
    x.distance = draw(x.random, how.delay_min, how.delay_max);
  }
}

void network::heal(process_number from, process_number to) {
  auto& cuts = at(from, to).cuts;
  if (cuts > 0)
    --cuts;
}

void network::calm() {
  for (auto& x : directions_)
    x.cuts = 0;
  how_.loss_percent = 0;
  how_.repeat_percent = 0;
  how_.slow_percent = 0;
}

duration network::delay(direction& by) const {
  auto& random = by.random;
  if (random.chance(how_.slow_percent))
    return draw(random, how_.delay_max, std::max(how_.delay_max, how_.delay_slow));
  switch (how_.shape) {
    case delay_shape::uniform:
      break;
    case delay_shape::constant:
      return how_.delay_max;
    case delay_shape::long_tail: {
      auto most = (how_.delay_max - how_.delay_min) / 4;
      for (auto doubled = 0; doubled < 8 && random.chance(35); ++doubled)
        most *= 2;
      return how_.delay_min + draw(random, 0us, most);
    }
    case delay_shape::distances:
      return by.distance + draw(random, 0us, by.distance / 10);
  }
  return draw(random, how_.delay_min, how_.delay_max);
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
  auto& by = at(from, to);
  if (from != to && (by.cuts != 0 || by.random.chance(how_.loss_percent))) {
    ++counts_.messages_lost;
    story_.note(events_.now(), 1, [&] {
      return "p" + std::to_string(from) + " -x p" + std::to_string(to) + " lost "
             + describe(*carried);
    });
    return;
  }
  if (from != to && by.random.chance(how_.repeat_percent))
    deliver_later(from, to, carried);
  deliver_later(from, to, std::move(carried));
}

void network::deliver_later(process_number from, process_number to, packet what) {
  auto& by = at(from, to);
  auto when = events_.now() + (from == to ? draw(by.random, 1us, 50us) : delay(by));
  if (how_.in_order || from == to) {
    when = std::max(when, by.last_arrival);
    by.last_arrival = when;
  }
  events_.at(when, [this, from, to, what = std::move(what)] {
    // A cut that began while it travelled swallows it as well.
    if (from != to && is_cut(from, to))
      return;
    deliver_(to, from, what);
  });
}

} // namespace paxtor::sim
