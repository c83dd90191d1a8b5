#include "test/sim/world.hpp"

#include <chrono>
#include <exception>
#include <set>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "libpaxtor/base/check.hpp"
#include "test/sim/election_trial.hpp"

namespace paxtor::sim {

using namespace std::chrono_literals;

namespace {

/// How long a calm cluster may take to come to rest.
duration patience(const knobs& how) {
  return 60s + how.ttl * 20;
}

struct broken_invariant : std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[noreturn]] void throw_invariant(std::string_view invariant, std::string_view expression,
                                  std::string_view file, int line) {
  throw broken_invariant{std::string{invariant} + ": " + std::string{expression} + " ("
                         + std::string{file} + ":" + std::to_string(line) + ")"};
}

} // namespace

void install_check_handler() {
  (void)set_check_handler(throw_invariant);
}

world::world(const run_options& options, const knobs& how)
    : options_(options),
      random_(generator_of(options.seed)),
      drawn_before_(random_.fork()),
      all_(how, schedule{options.differs.without_faults, options.differs.without_actors},
           random_.fork()),
      links_(all_, processes_, random_.fork()),
      guardian_(all_, processes_, random_.fork()),
      faults_(all_, processes_, links_, guardian_, random_.fork()),
      hearsay_(all_, processes_, random_.fork()),
      operator_(all_, processes_, random_.fork()) {
  all_.story.keep(options.keep_lines);
  all_.story.follow(options.follow);
  build();
}

void world::build() {
  auto how = all_.how;
  auto ids = random_.fork();
  auto starts = random_.fork();
  for (process_number i = 0; i < how.voters + how.clients; ++i) {
    auto own = random_.fork();
    auto offset = own.below(1'000'000'000'000ULL);
    auto rate = own.between(1'000'000 - how.clock_skew_ppm, 1'000'000 + how.clock_skew_ppm);
    processes_.push_back(
      std::make_unique<process>(all_, i, skewed_clock{offset, rate}, own.fork()));
  }
  auto may_be_lost = how.voters - (how.voters / 2 + 1);
  for (process_number i = 0; i < how.voters; ++i) {
    auto id = ids.make_id<voter_id>();
    all_.voters.members.push_back({id, node_name(i), processes_[i]->name() + ":1"});
    processes_[i]->give_store(id);
  }
  for (process_number i = 0; i < processes_.size(); ++i) {
    auto& p = *processes_[i];
    p.may_lose_store = i < may_be_lost;
    p.core = how.loses_stores() && i >= may_be_lost && i < how.voters;
    p.stands_by = how.change_every != duration{} && i < how.voters + how.standbys;
  }
  for (const auto& p : processes_)
    all_.note(p->number(), p->name() + " is node " + node_name(p->number())
                             + (p->has_store() ? ", voter " + to_string(p->store_id()) : "")
                             + ", its clock's rate is " + std::to_string(p->clock().rate())
                             + " ppm");
  all_.agreement = agreement_checker{all_.voters};
  all_.process_ended = [this](process_number which) { faults_.process_ended(*processes_[which]); };
  all_.voters_changed = [this] { faults_.voters_changed(); };
  all_.net.attach([this](process_number to, process_number from, const packet& what) {
    processes_[to]->receive(from, what);
  });
  all_.post.attach(random_.fork(), [this](process_number to, process_number from) {
    return processes_[to]->mail_from(from);
  });
  for (auto& p : processes_)
    all_.events.after(draw(starts, 0us, 50ms), [this, p = p.get()] {
      p->start();
      links_.refresh();
    });
}

void world::run() {
  unrest(options_.steps);
  if (!all_.judge.closed())
    calm();
  all_.note(all_.events.executed(), "end of run");
}

void world::unrest(std::uint64_t steps) {
  all_.events.after(random_.chance(50) ? all_.how.ttl : duration{0}, [this] { faults_.start(); });
  if (all_.how.change_every != duration{})
    hearsay_.start();
  operator_.start();
  while (!all_.judge.closed() && all_.events.executed() < steps && !all_.events.empty())
    all_.events.run_next();
}

void world::calm() {
  const auto since = all_.events.now();
  all_.calm = true;
  faults_.stop();
  guardian_.certify_all();
  run_until("calm", patience(all_.how), [this] { return missing_progress(); });
  if (!all_.judge.closed() && random_.chance(40)) {
    election_trial trial{all_, processes_, links_, random_.fork(), since};
    random_.chance(50) ? trial.one_link() : trial.deaf_leader();
    run_until("healed", patience(all_.how), [this] { return missing_progress(); });
  }
  if (all_.judge.closed())
    return;
  all_.note(0, "all nodes leave");
  for (auto& p : processes_)
    if (p->alive())
      p->leave();
  run_until("leave", patience(all_.how), [this] { return missing_leave(); });
}

template <class Missing>
void world::run_until(const char* phase, duration limit, Missing&& missing) {
  auto end = all_.events.now() + limit;
  auto next_look = all_.events.now() + 20ms;
  while (!all_.judge.closed()) {
    all_.events.run_next();
    if (all_.events.now() < next_look)
      continue;
    next_look = all_.events.now() + 20ms;
    auto what = missing();
    if (what.empty())
      return;
    if (all_.events.now() >= end)
      all_.judge.hear(finding{finding_kind::stuck, std::string{"progress, phase "} + phase, what});
  }
}

process* world::leader() {
  for (auto& p : processes_)
    if (p->alive() && p->votes() && p->voter().leads())
      return p.get();
  return nullptr;
}

std::string world::held_keys(const registry::machine& state) const {
  std::string out;
  for (unsigned i = 0; i < all_.how.keys; ++i)
    if (auto held = state.holder_of(lock_key(i)))
      out += (out.empty() ? "" : ", ") + lock_key(i).text() + " by s" + to_string(held->owner)
             + (held->kind == registry::ownership::strict ? " strict" : "") + " token "
             + to_string(held->grant);
  return out;
}

std::string world::missing_progress() {
  auto* first = leader();
  if (first == nullptr)
    return "no voter leads";
  for (auto& p : processes_)
    if (p->alive() && p->votes() && first->voter().voters().contains(p->voter().id())
        && p->voter().get().state().leader != first->voter().id())
      return p->name() + " does not know that " + first->name() + " leads";
  const auto& state = first->voter().get().machine();
  if (!all_.outcomes.all_answered())
    return "no outcome of " + all_.outcomes.unanswered(5) + "; held: " + held_keys(state);
  for (auto& p : processes_)
    if (p->alive() && p->node().actors().running() != 0)
      return p->name() + " has " + std::to_string(p->node().actors().running())
             + " actors that do not end";
  if (all_.letters.under_way() != 0)
    return std::to_string(all_.letters.under_way()) + " messages to names have no outcome, such as "
           + all_.letters.one_under_way();
  auto sessions = missing_sessions(state);
  if (!sessions.empty())
    return sessions;
  auto held = held_keys(state);
  if (!held.empty())
    return "keys are held by owners that are no more: " + held;
  return missing_agreement();
}

std::string world::missing_sessions(const registry::machine& state) {
  std::set<session_id> expected;
  for (auto& p : processes_) {
    if (!p->alive())
      return p->name() + " is not up";
    if (p->node().leaving() && !p->node().left())
      return p->name() + " does not get to leave";
    if (p->node().left())
      continue;
    if (!state.is_open(p->node().session()))
      return p->name() + " has no open session";
    expected.insert(p->node().session());
  }
  for (const auto& s : state.open_sessions())
    if (!expected.contains(s.session))
      return "session " + to_string(s.session) + " of " + s.name + " is open, but nobody's";
  return {};
}

std::string world::missing_agreement() {
  index last;
  std::uint64_t image = 0;
  for (auto& p : processes_) {
    if (!p->alive() || !p->votes())
      continue;
    auto mine = p->voter().last_index();
    auto mine_image = digest_of(p->voter().get().machine().image().view());
    if (!last.valid()) {
      last = mine;
      image = mine_image;
    }
    if (mine != last)
      return p->name() + " is at index " + to_string(mine) + ", another voter at "
             + to_string(last);
    if (mine_image != image) {
      all_.judge.hear(
        wrong("agreement", p->name() + " has another registry at index " + to_string(last)));
      return "agreement";
    }
  }
  all_.story.mix(std::to_string(image));
  return missing_values();
}

std::string world::missing_values() {
  for (auto& p : processes_) {
    if (!p->votes())
      continue;
    const auto& learner = p->voter().get().replica().get_learner();
    if (auto short_of = all_.durability.at_rest(p->voter().id(), learner.decided_upto()))
      return short_of->what;
    for (const auto& [key, value] : all_.puts.answered_values()) {
      auto text = p->voter().get().machine().ask(
        registry::query_get{kept_bucket, term::from_canonical(key)}, {});
      auto json = nlohmann::json::parse(text, nullptr, false);
      auto found = json.is_object() && json.contains("value");
      all_.judge.hear(all_.puts.answered(key, found, found ? json["value"].dump() : "", true));
    }
  }
  return {};
}

std::string world::missing_leave() {
  for (auto& p : processes_) {
    // The watchdog may have ended it on its way out; it was started again, and is to leave as well.
    if (p->alive() && !p->node().leaving())
      p->leave();
    if (!p->alive() || !p->node().left())
      return p->name() + " does not get to leave";
  }
  for (auto& p : processes_) {
    if (!p->votes())
      continue;
    const auto& state = p->voter().get().machine();
    state.check_all();
    // R6: after release, exit and expiry nothing stays.
    if (!state.nothing_left())
      return p->name() + "'s registry is not empty: " + state.ask(registry::query_counts{}, {});
  }
  return missing_agreement();
}

void world::count() {
  auto& c = all_.counts;
  c.runs = 1;
  c.steps = all_.events.executed();
  c.simulated_us = micros(all_.events.now());
  c.grants = all_.exclusion.grants();
  c.overlaps_exempted = all_.exclusion.overlaps_exempted();
  c.requests = all_.outcomes.asked_count();
  c.changes = all_.agreement.configurations() - 1;
  c.slots_chosen = all_.agreement.slots_chosen();
  c.images_compared = all_.agreement.images_compared();
  c.durability_checked = all_.durability.checked();
  c.puts_checked = all_.puts.checked();
  c.entries_judged = all_.log.judged().applied_count();
  c.answers_checked = all_.log.judged().reads().checked();
  c.messages_to_names = all_.letters.handled_count();
  c.refused_by_names = all_.letters.refused_count();
  c.deadlocks = all_.log.judged().deadlocks();
}

run_result run(const run_options& options) {
  run_result out;
  out.seed = options.seed;
  out.steps = options.steps;
  out.replay = options.replay();
  knobs how;
  out.refused = knobs_of(options, how);
  if (!out.refused.empty())
    return out;
  world w{options, how};
  try {
    w.run();
  } catch (const broken_invariant& e) {
    w.all().judge.hear(finding{finding_kind::crashed, "invariant", e.what()});
  } catch (const std::exception& e) {
    w.all().judge.hear(finding{finding_kind::crashed, "exception", e.what()});
  }
  w.count();
  out.faults = w.all().plan.faults();
  out.actors = w.all().plan.actors();
  out.found = w.all().judge.first();
  out.digest = w.all().story.value();
  out.counts = w.all().counts;
  out.knobs = w.all().how.text();
  out.tail.assign(w.all().story.tail().begin(), w.all().story.tail().end());
  return out;
}

} // namespace paxtor::sim
