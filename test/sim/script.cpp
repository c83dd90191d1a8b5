#include "test/sim/script.hpp"

#include <algorithm>
#include <chrono>
#include <set>

namespace paxtor::sim {

using namespace std::chrono_literals;

namespace {

step draw_acquire(generator& random, const knobs& how, bool strict) {
  step out;
  out.what = step::kind::acquire;
  std::set<term> keys{lock_key(random.below(how.keys))};
  if (random.chance(how.multi_percent))
    for (auto more = random.between(1, 3); more > 0; --more)
      keys.insert(lock_key(random.below(how.keys)));
  out.keys.assign(keys.begin(), keys.end());
  out.mode = random.chance(how.try_percent) ? registry::acquire_mode::try_once
                                            : registry::acquire_mode::wait;
  out.ownership = strict ? registry::ownership::strict : registry::ownership::bounded;
  if (random.chance(how.deadline_percent))
    out.deadline = draw(random, 0us, how.ttl);
  return out;
}

step draw_work(generator& random, const knobs& how) {
  step out;
  out.time = draw_around(random, how.hold);
  return out;
}

} // namespace

term lock_key(std::uint64_t number) {
  return term::from_canonical("\"k" + std::to_string(number) + "\"");
}

term singleton_name(std::uint64_t number) {
  return term::from_canonical("\"s" + std::to_string(number) + "\"");
}

registry::singleton_spec spec_of(std::uint64_t number) {
  registry::singleton_spec out;
  out.type = "t" + std::to_string(number % 3);
  out.where = number % 2 == 0 ? registry::placement::rendezvous : registry::placement::fewest;
  switch (number % 4) {
    case 0:
    case 1:
      out.restart = registry::restart_policy::never;
      break;
    case 2:
      out.restart = registry::restart_policy::on_failure;
      break;
    default:
      out.restart = registry::restart_policy::always;
  }
  return out;
}

script draw_script(generator& random, const knobs& how) {
  script out;
  auto strict = random.chance(how.strict_percent);
  if (random.chance(how.put_percent)) {
    step put;
    put.what = step::kind::put;
    put.keys = {lock_key(random.below(how.keys))};
    put.owned = random.chance(40);
    if (random.chance(how.deadline_percent))
      put.deadline = draw(random, 0us, how.ttl);
    out.push_back(std::move(put));
  }
  if (random.chance(how.ask_percent)) {
    step ask;
    ask.what = step::kind::ask;
    ask.keys = {lock_key(random.below(how.keys))};
    ask.owned = random.chance(30);
    if (random.chance(how.why_percent)) {
      ask.about = step::subject::lock;
      if (random.chance(30)) {
        ask.about = step::subject::name;
        ask.keys = {singleton_name(random.below(how.names))};
      }
    }
    if (random.chance(how.deadline_percent))
      ask.deadline = draw(random, 0us, how.ttl);
    out.push_back(std::move(ask));
  }
  if (!out.empty() && random.chance(50))
    return out;
  out.push_back(draw_acquire(random, how, strict));
  out.push_back(draw_work(random, how));
  // Nested: may close a cycle with another actor, which must then be refused (R3).
  for (unsigned depth = 0; depth < 3 && random.chance(how.nested_percent); ++depth) {
    out.push_back(draw_acquire(random, how, strict));
    out.push_back(draw_work(random, how));
  }
  return out;
}

} // namespace paxtor::sim
