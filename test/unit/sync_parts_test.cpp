#include <doctest/doctest.h>

#include <string>
#include <variant>
#include <vector>

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/cluster/sync_parts.hpp"

namespace paxtor::cluster {

namespace {

registry::effects_for sync_of(std::uint64_t grants) {
  registry::effects_for what;
  what.session = session_id{3};
  what.node = node_id{4};
  what.at = index{900};
  what.previous = index{5};
  what.complete = true;
  for (std::uint64_t i = 1; i <= grants; ++i)
    what.effects.emplace_back(registry::lock_granted{
      local_actor_id{i}, seq{i}, token{10 + i}, {term::from_canonical(std::to_string(i))}});
  return what;
}

} // namespace

TEST_CASE("a sync that fits is one part") {
  for (std::uint64_t grants : {0U, 1U, 7U}) {
    auto parts = split(sync_of(grants), index{1000}, 1 << 20);
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].parts == 1);
    CHECK(parts[0].as_of == index{1000});
    CHECK(parts[0].effects.size() == grants);
  }
}

TEST_CASE("parts are numbered, bounded, and together say all once, in order") {
  constexpr std::size_t most = 2000;
  auto parts = split(sync_of(500), index{1000}, most);
  CHECK(parts.size() > 10);
  std::uint64_t next = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto& x = parts[i];
    CHECK(x.part == i);
    CHECK(x.parts == parts.size());
    CHECK(x.session == session_id{3});
    CHECK(x.node == node_id{4});
    CHECK(x.at == index{900});
    CHECK(x.previous == index{5});
    CHECK(x.complete);
    CHECK(x.as_of == index{1000});
    CHECK(encode(x).size() <= most);
    CHECK(weight(x) <= most);
    for (auto& effect : x.effects)
      CHECK(std::get<registry::lock_granted>(effect).of == seq{++next});
  }
  CHECK(next == 500);
}

TEST_CASE("what is larger than a part is a part of its own") {
  auto parts = split(sync_of(3), index{1000}, 10);
  REQUIRE(parts.size() == 3);
  for (auto& x : parts)
    CHECK(x.effects.size() == 1);
}

TEST_CASE("no effect takes more bytes than its weight") {
  const std::string text(300, 't');
  const auto name = term::from_canonical('"' + text + '"');
  constexpr std::uint64_t big = ~std::uint64_t{0};
  registry::singleton_spec spec;
  spec.type = text;
  spec.args = blob{text};
  for (int i = 0; i < 20; ++i)
    spec.labels[text + std::to_string(i)] = text;
  const std::vector<registry::effect> all{
    registry::lock_granted{local_actor_id{big}, seq{big}, token{big}, std::vector<term>(64, name)},
    registry::start_singleton{name, token{big}, spec},
    registry::name_located{
      {name, token{big}, session_id{big}, node_id{big}, text, text, local_actor_id{big}, text}},
    registry::name_gone{name, token{big}, true, text}};
  for (auto& x : all)
    CHECK(encode(x).size() <= weight(x));
  registry::effects_for together;
  together.session = session_id{big};
  together.node = node_id{big};
  together.at = together.previous = together.as_of = index{big};
  together.part = together.parts = big;
  together.effects = all;
  CHECK(encode(together).size() <= weight(together));
}

} // namespace paxtor::cluster
