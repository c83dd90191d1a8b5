#include "libpaxtor/registry/machine.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "libpaxtor/base/check.hpp"
#include "libpaxtor/registry/machine_impl.hpp"

namespace paxtor::registry {

namespace {

constexpr const char* not_open = "the session is not open; open one and start again";

template <class T, class... Ts>
constexpr bool is_one_of = (std::is_same_v<T, Ts> || ...);

/// Where the answer of a refused command goes.
void refuse(session_id session, node_id node, seq number, status code, std::string detail,
            outcome& out) {
  answer reply;
  reply.number = number;
  reply.code = code;
  reply.detail = std::move(detail);
  out.answers.push_back({session, node, std::move(reply)});
}

} // namespace

machine::machine() : impl_(std::make_unique<impl>()) {}
machine::~machine() = default;
machine::machine(machine&&) noexcept = default;
machine& machine::operator=(machine&&) noexcept = default;

void machine::apply(index at, const command& what, outcome& out) {
  impl_->apply(at, what, out);
}

void machine::impl::apply(index at, const command& what, outcome& out) {
  PAXTOR_CHECK("I12", at > last);
  last = at;
  std::string why;
  bool valid = validate(what, why);
  std::visit(
    [&](const auto& x) {
      using type = std::decay_t<decltype(x)>;
      if constexpr (std::is_same_v<type, open_session>) {
        if (valid)
          run(at, x, out);
        else
          refuse({}, x.node, seq{x.nth}, status::invalid, std::move(why), out);
      } else if constexpr (is_one_of<type, close_session, expire_session, certify_end>) {
        if (valid)
          run(at, x, out);
        else
          ++out.ignored;
      } else {
        auto* from = who.find_open(x.from.session);
        if (from == nullptr) { // R1
          ++out.ignored;
          refuse(x.from.session, {}, x.from.number, status::no_session, not_open, out);
          return;
        }
        if (!valid) {
          refuse(from->id, from->node, x.from.number, status::invalid, std::move(why), out);
          return;
        }
        auto verdict = from->applied.judge(x.from);
        if (verdict == window::verdict::below) { // R1: nobody waits for an answer
          ++out.ignored;
          return;
        }
        if (verdict == window::verdict::beyond) {
          refuse(from->id, from->node, x.from.number, status::invalid,
                 "more than " + std::to_string(max_window)
                   + " commands of this session are without an answer",
                 out);
          return;
        }
        from->applied.advance(x.from.done_below);
        answer reply;
        reply.number = x.from.number;
        if (verdict == window::verdict::repeated) {
          ++out.ignored;
          repeat(*from, what, *from->applied.find(x.from.number), reply);
          out.answers.push_back({from->id, from->node, std::move(reply)});
          return;
        }
        constexpr auto kind =
          std::is_same_v<type, acquire> ? record::kind::acquire : record::kind::other;
        from->applied.note(x.from.number, kind);
        effect_list effects;
        run(at, *from, x, reply, effects);
        auto& known = *from->applied.find(x.from.number);
        known.code = reply.code;
        known.grant = reply.grant;
        if (!reply.detail.empty())
          known.detail = std::make_unique<std::string>(reply.detail);
        from->ended_owners.drop_below(from->applied.first_gap());
        from->forgotten.drop_below(from->applied.first_gap());
        out.answers.push_back({from->id, from->node, std::move(reply)});
        send(at, effects, out);
      }
    },
    what);
  check_quick();
}

void machine::impl::send(index at, effect_list& effects, outcome& out) {
  auto& all = effects.all;
  if (all.empty())
    return;
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& x, const auto& y) { return x.first < y.first; });
  for (auto pos = all.begin(); pos != all.end();) {
    auto end = std::find_if(pos, all.end(), [&](const auto& x) { return x.first != pos->first; });
    auto* to = who.find_open(pos->first);
    PAXTOR_CHECK("I13", to != nullptr);
    effects_for result;
    result.session = to->id;
    result.node = to->node;
    result.at = at;
    result.previous = std::exchange(to->last_effect, at);
    for (; pos != end; ++pos)
      result.effects.push_back(std::move(pos->second));
    out.effects.push_back(std::move(result));
  }
}

void machine::begin_reign(index at, ballot by, outcome& out) {
  PAXTOR_CHECK("I12", at > impl_->last);
  impl_->last = at;
  // S3: an old leader's reign entry may be recovered behind a newer one, and its expirations behind
  // that. Were the old reign in force again there, they would expire sessions that the newer leader
  // has renewed. So reigns only rise.
#ifndef PAXTOR_CANARY_REIGNS_FALL
  if (by <= impl_->reign) {
    ++out.ignored;
    return;
  }
#endif
  impl_->reign = by;
  out.events.emplace_back(reign_began{by});
}

std::optional<effects_for> machine::sync(session_id session, index watermark) const {
  const auto* to = impl_->who.find_open(session);
  if (to == nullptr)
    return std::nullopt;
  effects_for result;
  result.session = to->id;
  result.node = to->node;
  result.at = to->last_effect;
  result.previous = watermark;
  result.complete = true;
  for (auto& x : impl_->held.grants(session, token{watermark.value}))
    result.effects.emplace_back(lock_granted{x.who.actor, x.of, x.grant, std::move(x.keys)});
  for (auto what : to->hosted) {
    const auto& x = what->second;
    if (!x.actor.valid() && x.grant.value > watermark.value)
      result.effects.emplace_back(start_singleton{what->first, x.grant, x.spec});
    if (x.moving.valid() && x.moving > watermark)
      result.effects.emplace_back(hand_over{what->first, x.grant});
  }
  for (const auto& [what, since] : to->watching) {
    if (what->second.actor.valid() && !what->second.moving.valid())
      result.effects.emplace_back(name_located{impl_->singletons.where(what->first, what->second)});
  }
  return result;
}

index machine::last_effect(session_id session) const {
  const auto* x = impl_->who.find_open(session);
  return x != nullptr ? x->last_effect : index{};
}

bool machine::is_open(session_id session) const {
  return impl_->who.find_open(session) != nullptr;
}

std::vector<session_opened> machine::open_sessions() const {
  std::vector<session_opened> result;
  for (const auto& [id, x] : impl_->who.all()) {
    if (x.open)
      result.push_back({id, x.node, x.name});
  }
  return result;
}

ballot machine::reign() const {
  return impl_->reign;
}

std::uint64_t machine::waiting() const {
  return impl_->held.waiting();
}

std::string machine::ask(const query& what, const std::map<session_id, silence>& silent) const {
  return std::visit([&](const auto& x) { return impl_->ask(x, silent); }, what);
}

blob machine::image() const {
  return blob{impl_->save()};
}

bool machine::restore(const blob& image) {
  auto fresh = std::make_unique<impl>();
  if (!fresh->load(image.view()))
    return false;
  impl_ = std::move(fresh);
  return true;
}

void machine::check_all() const {
  impl_->check_quick();
  if (const char* broken = impl_->audit())
    check_failed(broken, "audit of the registry", __FILE__, __LINE__);
}

std::optional<machine::holder> machine::holder_of(const term& key) const {
  const auto* x = impl_->held.find(key);
  if (x == nullptr || impl_->held.is_free(*x))
    return std::nullopt;
  return holder{x->who->first, token{x->grant},
                x->strict == 1 ? ownership::strict : ownership::bounded};
}

bool machine::nothing_left() const {
  return impl_->who.all().empty() && impl_->held.empty() && impl_->singletons.all().empty()
         && impl_->entries.owned() == 0;
}

void machine::impl::check_quick() const {
  PAXTOR_CHECK("I13", held.counts_agree());
  PAXTOR_CHECK("I13", !who.all().empty() || (held.empty() && singletons.all().empty()));
}

const char* machine::impl::audit() const {
  for (const char* broken : {who.audit(), held.audit(), singletons.audit(), entries.audit()}) {
    if (broken != nullptr)
      return broken;
  }
  for (const auto& [id, x] : who.all()) {
    auto has = held.tally(id);
    if (!x.open && (has.held == 0 || has.waits != 0))
      return "I13";
  }
  for (const auto& [id, x] : held.all_owners()) {
    const auto* of = who.find(id.session);
    if (of == nullptr)
      return "I11";
    if (of->open)
      continue;
    // F5: what an expired session still holds, it holds strictly.
    if (x.extra)
      return "I11";
    if (!held.all_strict(x))
      return "I11";
  }
  for (const auto& [name, bucket] : entries.all()) {
    for (const auto& [key, x] : bucket) {
      if (x.owner && who.find_open(x.owner->session) == nullptr)
        return "I13";
    }
  }
  return nullptr;
}

} // namespace paxtor::registry
