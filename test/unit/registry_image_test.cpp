#include "libpaxtor/base/random.hpp"
#include "libpaxtor/registry/image.hpp"
#include "test/unit/registry_fixture.hpp"

using namespace paxtor;
using namespace paxtor::registry;
using paxtor::registry::test::key;
using paxtor::registry::test::world;

namespace {

/// A world with something of everything.
void fill(world& w) {
  w.begin_reign(2);
  auto a = w.join("a", {"t"});
  auto b = w.join("b", {"t"});
  auto c = w.join("c");
  w.lock(a, 1, {"x"});
  w.lock(a, 1, {"y"}, acquire_mode::wait, ownership::strict);
  w.lock(a, 1, {"y", "z"});
  w.lock(b, 1, {"x"});
  w.lock(b, 2, {"w", "x"});
  w.lock(b, 1, {"v", "x"});
  w.lock(c, 1, {"s"}, acquire_mode::wait, ownership::strict);
  w.lock(c, 1, {"t"});
  singleton_spec spec;
  spec.type = "t";
  spec.labels = {};
  w.ask(resolve{w.from(a), key("apple"), spec});
  w.ask(put{w.from(a), "b", key("k"), "{\"v\":1}", 1});
  w.ask(put{w.from(a), "b", key("l"), "2", {}});
  w.ask(owner_exited{w.open_from(a, 30), a, local_actor_id{9}, ""});
  w.ask(forget{w.open_from(a, 31), key("pear")});
  w.apply(expire_session{c, ballot{2, voter_id{1}}});
}

} // namespace

TEST_CASE("numbers and texts come back, and only from their one form") {
  image_writer out;
  for (std::uint64_t x : {0ULL, 1ULL, 127ULL, 128ULL, 300ULL, ~0ULL})
    out.number(x);
  out.text("hello");
  auto bytes = out.take();
  image_reader in{bytes};
  for (std::uint64_t x : {0ULL, 1ULL, 127ULL, 128ULL, 300ULL, ~0ULL})
    CHECK(in.number() == x);
  CHECK(in.text(5) == "hello");
  CHECK(in.done());
  image_reader tight{bytes};
  for (int i = 0; i < 6; ++i)
    (void)tight.number();
  CHECK(tight.text(4).empty());
  CHECK_FALSE(tight.ok());
  for (std::string_view bad : {std::string_view{"\x80", 1}, std::string_view{"\x80\x00", 2},
                               std::string_view{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10}}) {
    image_reader x{bad};
    CHECK(x.number() == 0);
    CHECK_FALSE(x.ok());
  }
}

TEST_CASE("an image holds everything, and what it makes goes on alike") {
  world w;
  fill(w);
  auto image = w.reg.image();
  machine copy;
  REQUIRE(copy.restore(image));
  copy.check_all();
  CHECK(copy.image() == image);
  CHECK(copy.reign() == w.reg.reign());
  CHECK(copy.ask(query_counts{}, {}) == w.reg.ask(query_counts{}, {}));
  CHECK(copy.ask(query_members{}, {}) == w.reg.ask(query_members{}, {}));
  for (const char* name : {"s", "v", "w", "x", "y", "z", "apple"})
    CHECK(copy.ask(query_why{key(name)}, {}) == w.reg.ask(query_why{key(name)}, {}));
  for (const auto& x : w.reg.open_sessions()) {
    auto left = w.reg.sync(x.session, paxtor::index{0});
    auto right = copy.sync(x.session, paxtor::index{0});
    REQUIRE((left && right));
    CHECK(left->effects.size() == right->effects.size());
    close_session end{x.session, end_reason::left, ""};
    outcome other;
    copy.apply(w.at.next(), end, other);
    w.apply(end);
    CHECK(copy.image() == w.reg.image());
    CHECK(other.effects.size() == w.last.effects.size());
  }
}

TEST_CASE("an image that cannot be read changes nothing") {
  world w;
  fill(w);
  auto image = w.reg.image();
  std::string good{image.view()};
  machine other;
  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK_FALSE(other.restore(blob{good.substr(0, size)}));
  CHECK_FALSE(other.restore(blob{good + "x"}));
  CHECK(other.nothing_left());
  std::string newer = good;
  newer[16] = static_cast<char>(image_version + 1);
  CHECK_FALSE(other.restore(blob{newer}));
  CHECK_FALSE(w.reg.restore(blob{"nonsense"}));
  CHECK(w.reg.image() == image);
}

TEST_CASE("whatever the bytes: refused, or a registry that is whole") {
  world w;
  fill(w);
  std::string good{w.reg.image().view()};
  generator random{7};
  int taken = 0;
  for (int i = 0; i < 20000; ++i) {
    auto bad = good;
    for (auto n = random.between(1, 3); n > 0; --n)
      bad[random.below(bad.size())] =
        static_cast<char>(random.chance(50) ? random.below(4) : random.below(256));
    machine other;
    if (!other.restore(blob{bad}))
      continue;
    ++taken;
    other.check_all();
    (void)other.ask(query_members{}, {});
    (void)other.ask(query_why{key("x")}, {});
    outcome out;
    auto at = paxtor::index{~std::uint64_t{0} >> 2};
    for (const auto& x : other.open_sessions()) {
      other.apply(at, close_session{x.session, end_reason::left, ""}, out);
      at = at.next();
      other.check_all();
    }
  }
  CHECK(taken > 0);
}
