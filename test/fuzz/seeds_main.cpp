// Prints inputs to begin with, one line of hexadecimal digits each: real frames, commands, terms
// and files. For a corpus after the codec has changed: README.md says how.

#include <iostream>
#include <string>
#include <vector>

#include "libpaxtor/base/digest.hpp"
#include "libpaxtor/cluster/frame.hpp"
#include "libpaxtor/paxos/batches.hpp"

namespace paxtor::fuzz {

namespace {

using namespace paxtor::cluster;

const std::string secret(16, 'a');

term key() {
  term result;
  std::string why;
  (void)term::from_user("\"a\"", result, why);
  return result;
}

registry::origin from(std::uint64_t session, std::uint64_t number) {
  return {session_id{session}, seq{number}, seq{1}};
}

/// A short life: two nodes, a lock that both want, a name, an entry; one is silent, one ends.
std::vector<registry::command> commands() {
  using namespace registry;
  open_session one{node_id{1}, 1, "n1", "h:1", {"t"}, {}, 2, sha256(secret)};
  open_session two{node_id{2}, 1, "n2", "h:2", {"t"}, {}, 2, {}};
  const singleton_spec spec{"t", blob{"args"}, {}, {}, restart_policy::always};
  return {one,
          two,
          acquire{from(1, 1), local_actor_id{1}, {key()}, {}, {}},
          acquire{from(2, 1), local_actor_id{1}, {key()}, {}, {}},
          resolve{from(2, 2), key(), spec},
          started{from(1, 2), key(), token{5}, local_actor_id{2}},
          put{from(1, 3), "k", key(), "1", 1},
          drain{from(2, 3), "n1", true},
          singleton_exited{from(1, 4), key(), token{5}, false, "moved"},
          start_failed{from(2, 4), key(), token{9}, "no"},
          forget{from(2, 5), key()},
          owner_exited{from(1, 5), session_id{1}, local_actor_id{1}, "done"},
          withdraw{from(2, 6), local_actor_id{1}, seq{1}},
          expire_session{session_id{1}, ballot{1, voter_id{1}}},
          certify_end{node_id{1}, {}, end_reason::process_died, secret, "status 0"},
          close_session{session_id{2}, end_reason::left, "bye"}};
}

std::vector<paxos::message> messages() {
  using namespace paxos;
  const ballot b2{1, voter_id{2}};
  const ballot b3{2, voter_id{3}};
  const configuration voters{{{voter_id{1}, "v1"}, {voter_id{2}, "v2"}, {voter_id{3}, "v3"}}};
  const auto value = make_batch({{entry_kind::reign, encode(b2)}});
  promise full;
  full.at = ballot{1, voter_id{1}};
  full.accepted[slot{1}] = {b2, value};
  full.from = slot{1};
  return {prevote_request{b2, slot{0}},
          prevote_reply{ballot{1, voter_id{1}}, true, {}},
          prepare{b2, slot{1}},
          paxos::accept{b2, slot{1}, value, slot{0}},
          heartbeat{b2, 1, slot{1}},
          prepare{b3, slot{1}},
          paxos::accept{b3, slot{2}, value, slot{1}},
          full,
          rejected{ballot{1, voter_id{1}}, b3},
          accepted{ballot{1, voter_id{1}}, slot{1}},
          heartbeat_reply{ballot{1, voter_id{1}}, 1},
          learn{slot{1}},
          learned_values{slot{1}, {value}, slot{1}},
          snapshot_chunk{slot{4}, index{4}, voters, 0, 5, blob{"image"}, slot{1}},
          learn_snapshot{slot{4}, 0}};
}

paxos::role role_of(const paxos::message& what) {
  using namespace paxos;
  if (std::holds_alternative<prepare>(what) || std::holds_alternative<accept>(what)
      || std::holds_alternative<heartbeat>(what))
    return role::acceptor;
  return std::holds_alternative<accepted>(what) || what.index() >= 9 ? role::learner
                                                                     : role::proposer;
}

voter_id sender_of(const paxos::message& what) {
  if (const auto* x = std::get_if<paxos::prepare>(&what))
    return x->at.voter;
  if (const auto* y = std::get_if<paxos::accept>(&what))
    return y->at.voter;
  return voter_id{2};
}

std::vector<node_message> node_messages() {
  submit all;
  for (const auto& what : commands())
    all.commands.push_back(encode(what));
  return {all,
          renew{session_id{3}, 1, index{3}},
          read{1, registry::query_why{key()}},
          certify{{node_id{1}, {}, registry::end_reason::process_died, secret, {}}},
          change_voters{1, voter_change::add, "v2", "127.0.0.1:4801", {}},
          voter_report{voter_id{2}, "v2", "127.0.0.1:4801", slot{1}, slot{0}}};
}

std::vector<std::string> frames() {
  std::vector<std::string> result{
    encode_frame(hello_frame{
      "c", cluster_id{1}, node_id{1}, "n1", voter_id{1}, "h:1", 3'000'000, {"v1"}, {1, 1}}),
    encode_frame(refuse_frame{"another ttl"})};
  for (const auto& what : messages())
    result.push_back(
      encode_frame(paxos_frame{cluster_id{1}, sender_of(what), voter_id{1}, role_of(what), what}));
  for (const auto& what : node_messages())
    result.push_back(encode_frame(node_frame{cluster_id{1}, node_id{1}, {}, what}));
  return result;
}

/// A step of a target that reads `op` and then long text.
std::string step(char op, const std::string& bytes) {
  std::string result{op};
  result.push_back(static_cast<char>(bytes.size() >> 8));
  result.push_back(static_cast<char>(bytes.size()));
  return result + bytes;
}

/// One input of all steps, and one of each.
std::vector<std::string> as_steps(char op, const std::vector<std::string>& all) {
  std::vector<std::string> result{{}};
  for (const auto& bytes : all) {
    result.front() += step(op, bytes);
    result.push_back(step(op, bytes));
  }
  return result;
}

std::vector<std::string> seeds(const std::string& target) {
  if (target == "term")
    return {"\"apple\"",
            "42",
            "[\"invoice\",7]",
            "{\"b\":[null,true],\"a\":-1.5e3}",
            "stock/42",
            "\"\\u00e9\\n\"",
            "[[[[]]]]",
            "{\"a\":1,\"a\":2}",
            "[1",
            "1e999",
            "\"\xff\""};
  if (target == "config")
    return {"{\"name\": \"a\",\n \"voters\": [\"a=h:1\"], \"ttl\": \"3s\"}\n",
            "{}",
            "[]",
            "{\"a\": {\"b\": [1, \"x,{\"]}, \"c\\\"d\": 1}",
            "{\"a\": 1,\n\"a\": 2}",
            "{\"a\" 1}"};
  if (target == "frame") {
    auto result = frames();
    for (const auto& what : commands())
      result.push_back(encode(what));
    return result;
  }
  if (target == "machine") {
    std::vector<std::string> all;
    for (const auto& what : commands())
      all.push_back(encode(what));
    return as_steps(4, all);
  }
  if (target == "replica")
    return as_steps(8, frames());
  if (target == "voter")
    return as_steps(3, frames());
  using namespace std::string_literals;
  if (target == "rows")
    return {"\1\0\0\0\1"s, "\1\1\1\1\1\1\1\1"s, "\1\2\1\0\1"s, "\1\0\4\1"s, "\0SQLite"s};
  return {};
}

} // namespace

} // namespace paxtor::fuzz

int main(int argc, char** argv) {
  const auto all = argc == 2 ? paxtor::fuzz::seeds(argv[1]) : std::vector<std::string>{};
  if (all.empty()) {
    std::cerr << "usage: " << argv[0] << " frame|term|config|rows|machine|replica|voter\n";
    return 64;
  }
  static constexpr char digits[] = "0123456789abcdef";
  for (const auto& bytes : all) {
    for (const auto byte : bytes)
      std::cout << digits[static_cast<unsigned char>(byte) >> 4] << digits[byte & 15];
    std::cout << '\n';
  }
  return 0;
}
