#include "test/sim/actor_model.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "test/sim/describe.hpp"
#include "test/sim/process.hpp"

namespace paxtor::sim {

using namespace std::chrono_literals;

actor_model::actor_model(scene& all, process& home, node_side& node, generator random)
    : all_(all),
      home_(home),
      node_(node),
      random_(random),
      host_(all, home, node, random_.fork()),
      names_(all, home, node) {}

claimant actor_model::me(local_actor_id id) const {
  return {home_.number(), home_.life(), id};
}

void actor_model::start() {
  spawn_later();
}

void actor_model::spawn_later() {
  home_.later(draw_around(random_, all_.how.spawn_every), [this] {
    if (all_.calm || node_.leaving())
      return;
    auto own = random_.fork();
    if (!all_.plan.next_actor())
      return spawn_later();
    if (own.chance(all_.how.name_percent))
      use_name(own);
    else if (actors_.size() < all_.how.actors_per_node)
      spawn(own);
    spawn_later();
  });
}

void actor_model::spawn(generator own) {
  auto id = next_actor();
  all_.note(all_.plan.actors(), home_.name() + " a" + to_string(id) + " starts, actor "
                                  + std::to_string(all_.plan.actors()));
  auto& who = actors_[id];
  who.plan = draw_script(own, all_.how);
  who.random = own;
  run(id);
}

void actor_model::run(local_actor_id id) {
  auto i = actors_.find(id);
  if (i == actors_.end() || i->second.dying)
    return;
  auto& who = i->second;
  if (who.next == who.plan.size())
    return end(id, "done");
  const auto what = who.plan[who.next++];
  switch (what.what) {
    case step::kind::work:
      home_.later(all_.calm ? std::min(what.time, all_.how.ttl / 8) : what.time,
                  [this, id] { run(id); });
      break;
    case step::kind::acquire:
      do_acquire(id, who, what);
      break;
    case step::kind::put:
      do_put(id, who, what);
      break;
    case step::kind::ask:
      do_ask(id, who, what);
      break;
  }
}

void actor_model::do_acquire(local_actor_id id, actor& who, const step& what) {
  who.known_to_agent = true;
  cluster::acquire_options options;
  options.mode = what.mode;
  options.kind = what.ownership;
  if (what.deadline)
    options.deadline = node_.now() + *what.deadline;
  auto patience =
    who.random.chance(10) ? std::optional{draw(who.random, 0us, all_.how.hold * 2)} : std::nullopt;
  auto request =
    node_.request("acquire by a" + to_string(id), [&](cluster::agent& a, time_point t) {
      auto r = a.acquire(t, id, what.keys, options);
      asked_[r].who = id;
      who.waits_for = r;
      return r;
    });
  if (patience)
    home_.later(*patience, [this, id, request] { grow_impatient(id, request); });
}

void actor_model::grow_impatient(local_actor_id id, cluster::request_id request) {
  auto i = actors_.find(id);
  if (i == actors_.end() || i->second.waits_for != request || i->second.dying)
    return;
  if (i->second.random.chance(50))
    end(id, "gave up waiting");
  else
    node_.use([request](cluster::agent& a, time_point t) { a.cancel(t, request); });
}

void actor_model::do_put(local_actor_id id, actor& who, const step& what) {
  auto value =
    "\"" + home_.name() + "." + std::to_string(home_.life()) + "/" + to_string(id) + "\"";
  auto key = what.keys.front();
  std::optional<time_point> deadline;
  if (what.deadline)
    deadline = node_.now() + *what.deadline;
  if (!what.owned)
    all_.puts.offered(key.text(), value);
  std::optional<local_actor_id> owner;
  if (what.owned) {
    owner = id;
    who.known_to_agent = true;
  }
  (void)node_.request("put by a" + to_string(id), [&](cluster::agent& a, time_point t) {
    auto r = a.put(t, what.owned ? owned_bucket : kept_bucket, key, value, owner, deadline);
    auto& about = asked_[r];
    about.who = id;
    about.put_key = key.text();
    about.owned = what.owned;
    who.waits_for = r;
    return r;
  });
}

void actor_model::do_ask(local_actor_id id, actor& who, const step& what) {
  auto key = what.keys.front();
  std::optional<time_point> deadline;
  if (what.deadline)
    deadline = node_.now() + *what.deadline;
  asked about;
  about.who = id;
  registry::query question = registry::query_why{key};
  if (what.about == step::subject::name)
    question = registry::query_name{key};
  else if (what.about == step::subject::entry)
    question = registry::query_get{what.owned ? owned_bucket : kept_bucket, key};
  about.question = describe(question);
  about.oldest = all_.log.reads().asked(about.question);
  if (what.about == step::subject::entry && !what.owned) {
    about.put_key = key.text();
    about.must_exist = all_.puts.known(key.text());
  }
  (void)node_.request("ask by a" + to_string(id), [&](cluster::agent& a, time_point t) {
    auto r = a.ask(t, question, deadline);
    asked_[r] = about;
    who.waits_for = r;
    return r;
  });
}

void actor_model::replied(const asked& about, const std::string& json) {
  const auto kind = about.question.substr(0, about.question.find(' '));
  const auto text = kind == "why"    ? text_of_why(json)
                    : kind == "name" ? text_of_name(json)
                                     : text_of_get(json);
  const auto before_all = kind == "why" ? lock_model{}.text({}) : std::string{nothing_there};
  all_.judge.hear(
    all_.log.reads().answered(about.question, text, about.oldest, all_.log.last(), before_all));
  if (!about.put_key.empty())
    all_.judge.hear(
      all_.puts.answered(about.put_key, text != nothing_there, text, about.must_exist));
}

void actor_model::completed(cluster::request_id id, const cluster::completion& how) {
  if (names_.completed(id, how))
    return;
  auto i = asked_.find(id);
  if (i == asked_.end())
    return;
  auto about = std::move(i->second);
  asked_.erase(i);
  if (const auto* bad = std::get_if<cluster::failed>(&how))
    all_.note(id.value, home_.name() + " request " + to_string(id) + " of a" + to_string(about.who)
                          + " failed: " + describe(bad->code) + " " + bad->detail);
  if (const auto* put = std::get_if<cluster::stored>(&how); put != nullptr && !about.owned)
    all_.judge.hear(all_.puts.stored(about.put_key, put->value));
  if (const auto* reply = std::get_if<cluster::replied>(&how))
    replied(about, reply->json);
  // The actor's own mailbox.
  home_.later(draw(random_, 0us, 200us),
              [this, id, who = about.who, how] { received(who, id, how); });
}

void actor_model::received(local_actor_id id, cluster::request_id request,
                           const cluster::completion& how) {
  auto i = actors_.find(id);
  if (i == actors_.end())
    return;
  auto& who = i->second;
  if (who.waits_for == request)
    who.waits_for = cluster::request_id{};
  if (const auto* yes = std::get_if<cluster::granted>(&how))
    granted(id, who, *yes);
  else if (std::holds_alternative<cluster::failed>(how) && who.random.chance(60))
    return end(id, "could not get what it wants");
  run(id);
}

void actor_model::granted(local_actor_id id, actor& who, const cluster::granted& what) {
  // Read before delivery: what a user's actor sees of grant.valid() may have changed since.
  for (const auto& key : what.keys) {
    all_.note(what.grant.value, home_.name() + " a" + to_string(id) + " owns " + key.text()
                                  + " token " + to_string(what.grant));
    all_.judge.hear(
      all_.exclusion.granted(all_.events.now(), "key " + key.text(), me(id), what.grant));
    if (std::find(who.owns.begin(), who.owns.end(), key.text()) == who.owns.end())
      who.owns.push_back(key.text());
  }
}

void actor_model::end(local_actor_id id, const char* why) {
  auto i = actors_.find(id);
  if (i == actors_.end())
    return;
  all_.note(id.value, home_.name() + " a" + to_string(id) + " ends: " + why);
  for (const auto& key : i->second.owns)
    all_.judge.hear(all_.exclusion.ended(all_.events.now(), "key " + key, me(id)));
  auto known = i->second.known_to_agent;
  auto& random = i->second.random;
  auto told = draw(random, 0us, random.chance(5) ? duration{20ms} : duration{300us});
  actors_.erase(i);
  if (known)
    home_.later(told, [this, id] {
      node_.use([id](cluster::agent& a, time_point t) { a.owner_exited(t, id, "ended"); });
    });
}

void actor_model::kill(local_actor_id id) {
  auto i = actors_.find(id);
  if (i == actors_.end() || i->second.dying)
    return;
  i->second.dying = true;
  home_.later(draw_dying(i->second.random, all_, home_), [this, id] { end(id, "killed"); });
}

void actor_model::fenced(const cluster::fence& what) {
  for (auto id : what.owners)
    kill(id);
  host_.fenced(what.singletons);
}

void actor_model::process_ended() {
  for (const auto& [id, who] : actors_)
    for (const auto& key : who.owns)
      all_.judge.hear(all_.exclusion.ended(all_.events.now(), "key " + key, me(id)));
  actors_.clear();
  host_.process_ended();
  names_.process_ended();
}

void actor_model::use_name(generator own) {
  auto number = own.below(all_.how.names);
  auto spec = spec_of(own.chance(3) ? number + 1 : number);
  names_.use(singleton_name(number), spec, own);
}

void actor_model::receive(process_number from, const letter& what) {
  if (what.what != letter::kind::given && what.what != letter::kind::not_given
      && what.what != letter::kind::let_go)
    host_.receive(from, what);
  if (what.what != letter::kind::fetch && what.what != letter::kind::message
      && what.what != letter::kind::let_gone)
    names_.receive(from, what);
}

} // namespace paxtor::sim
