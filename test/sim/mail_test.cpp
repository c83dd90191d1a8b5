#include <vector>

#include <doctest/doctest.h>

#include "test/sim/mail.hpp"
#include "test/sim/small_net.hpp"

using namespace paxtor;
using namespace paxtor::sim;
using namespace std::chrono_literals;

TEST_CASE("mail checker: handled, refused or lost, in order, is fine") {
  mail_checker check;
  auto one = check.sent(1);
  auto two = check.sent(1);
  auto three = check.sent(1);
  auto other = check.sent(2);
  CHECK(check.under_way() == 4);
  CHECK(!check.handled(one, token{5}, "s"));
  check.lost(two);
  CHECK(!check.handled(other, token{5}, "s"));
  CHECK(!check.refused(three, "no host"));
  CHECK(check.under_way() == 0);
  CHECK(check.handled_count() == 2);
  CHECK(check.refused_count() == 1);
}

TEST_CASE("mail checker: refused and handled, in either order, is wrong") {
  mail_checker check;
  auto one = check.sent(1);
  auto two = check.sent(1);
  CHECK(!check.refused(one, "no host"));
  CHECK(check.handled(one, token{5}, "s"));
  CHECK(!check.handled(two, token{5}, "s"));
  CHECK(check.refused(two, "no host"));
}

TEST_CASE("mail checker: twice, out of order, from nobody, and behind a move are wrong") {
  mail_checker check;
  auto one = check.sent(1);
  auto two = check.sent(1);
  CHECK(check.missed(one, "n1"));
  CHECK(!check.handled(two, token{5}, "s"));
  CHECK(check.handled(one, token{5}, "s"));
  CHECK(check.handled(two, token{5}, "s"));
  CHECK(check.handled(99, token{5}, "s"));
}

TEST_CASE("mail checker: what had reached a frozen node may be handled late, by that life alone") {
  mail_checker check;
  auto one = check.sent(1);
  auto two = check.sent(1);
  CHECK(!check.handled(two, token{9}, "its heir"));
  CHECK(!check.handled(one, token{5}, "the frozen one"));
}

TEST_CASE("mail: in order, and the end of a link is heard behind what has arrived") {
  small_net all{small_net::quick()};
  auto& net = all.net;
  mail_checker letters;
  mail post{all.events, net, all.how, letters};
  unsigned arrivals = 0;
  process_number dead = 9;
  post.attach(generator{2}, [&](process_number to, process_number) {
    ++arrivals;
    return to != dead;
  });
  auto send = [&](std::optional<std::uint64_t> link = {}) {
    auto number = letters.sent(1);
    post.send(0, 1, {letter::kind::message, {}, {}, number}, link);
    return number;
  };
  auto run = [&] { all.run(); };
  auto one = send();
  auto two = send();
  run();
  CHECK(arrivals == 2);
  auto link = post.link(0, 1);
  (void)send();
  net.cut(1, 0);
  run(); // what is under way is lost with the link
  net.heal(1, 0);
  CHECK(post.link(0, 1) != link);
  (void)send(link);
  auto five = send();
  run();
  CHECK(letters.under_way() == 3);
  CHECK(post.take(1, 0)->message == one);
  CHECK(post.take(1, 0)->message == two);
  CHECK(post.take(1, 0)->what == letter::kind::link_ended);
  CHECK(post.take(1, 0)->message == five);
  CHECK(!post.take(1, 0));
  CHECK(post.take(0, 1)->what == letter::kind::link_ended);
  for (auto number : {one, two, five})
    CHECK(!letters.handled(number, token{5}, "s"));
  (void)send();
  run();
  dead = 1;
  post.process_ended(1);
  CHECK(!post.take(1, 0));
  CHECK(post.take(0, 1)->what == letter::kind::link_ended);
  // Nobody is there: the link ends at once, and nothing stays for the next life.
  (void)send();
  run();
  CHECK(!post.take(1, 0));
  CHECK(post.take(0, 1)->what == letter::kind::link_ended);
  CHECK(letters.under_way() == 0);
}
