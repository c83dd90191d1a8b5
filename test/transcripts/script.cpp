#include "test/transcripts/script.hpp"

#include <charconv>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "test/transcripts/stage.hpp"

namespace paxtor::transcripts {

using namespace std::chrono_literals;

namespace {

constexpr const char* ruler = "----";

/// What a block runs on after its commands, so that what they cause is seen below them.
constexpr duration afterwards = 20ms;

[[noreturn]] void refuse(const std::string& why) {
  throw std::invalid_argument(why);
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in{text};
  std::vector<std::string> result;
  for (std::string word; in >> word;)
    result.push_back(word);
  return result;
}

std::vector<std::string> listed(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream in{text};
  for (std::string part; std::getline(in, part, ',');)
    if (!part.empty())
      result.push_back(part);
  return result;
}

std::uint64_t number_of(const std::string& text) {
  std::uint64_t result = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), result);
  if (problem != std::errc{} || end != text.data() + text.size())
    refuse("'" + text + "' is no number");
  return result;
}

duration time_of(const std::string& text) {
  if (text.ends_with("ms"))
    return 1ms * static_cast<std::int64_t>(number_of(text.substr(0, text.size() - 2)));
  if (text.ends_with("s"))
    return 1s * static_cast<std::int64_t>(number_of(text.substr(0, text.size() - 1)));
  refuse("'" + text + "' is no time: write 500ms or 3s");
}

term term_of(const std::string& text) {
  term result;
  std::string why;
  if (!term::from_user(text, result, why))
    refuse(why);
  return result;
}

/// "x/a1".
struct who {
  std::string node;
  local_actor_id actor;
};

who who_of(const std::string& text) {
  const auto at = text.find("/a");
  if (at == std::string::npos)
    refuse("'" + text + "' is no actor: write NODE/aNUMBER");
  return {text.substr(0, at), local_actor_id{number_of(text.substr(at + 2))}};
}

/// The commands, and the stage that they move.
class player {
public:
  std::vector<std::string> run(const block& what) {
    printed_.clear();
    for (const auto& line : what.commands) {
      auto words = words_of(line);
      const auto command = words.front();
      words.erase(words.begin());
      try {
        carry_out(command, words);
      } catch (const std::exception& problem) {
        printed_.push_back("error: " + command + ": " + problem.what());
      }
    }
    if (stage_) {
      if (!what.commands.back().starts_with("run "))
        stage_->run(afterwards);
      auto told = stage_->take_told();
      // What was asked for comes behind what happened before it was asked.
      printed_.insert(printed_.begin(), told.begin(), told.end());
    }
    return printed_;
  }

private:
  using args = std::vector<std::string>;

  static void expect(const args& given, std::size_t least, std::size_t most, const char* usage) {
    if (given.size() < least || given.size() > most)
      refuse(std::string{"usage: "} + usage);
  }

  stage& on() {
    if (!stage_)
      refuse("there is no cluster yet: begin with `cluster`");
    return *stage_;
  }

  void carry_out(const std::string& command, const args& given) {
    if (command == "cluster")
      return make(given);
    if (command == "run") {
      expect(given, 1, 1, "run TIME");
      return on().run(time_of(given[0]));
    }
    if (!network(command, given) && !processes(command, given) && !actors(command, given)
        && !questions(command, given))
      refuse("there is no such command");
  }

  void make(const args& given) {
    stage_options how;
    for (const auto& one : given) {
      const auto at = one.find('=');
      const auto name = one.substr(0, at);
      const auto value = at == std::string::npos ? std::string{} : one.substr(at + 1);
      if (name == "voters")
        how.voters = listed(value);
      else if (name == "nodes")
        how.nodes = listed(value);
      else if (name == "types")
        how.types = listed(value);
      else if (name == "ttl")
        how.ttl = time_of(value);
      else if (name == "snapshot")
        how.snapshot_entries = number_of(value);
      else
        refuse("'" + name + "' is not known");
    }
    if (how.voters.empty())
      refuse("usage: cluster voters=a,b,c [nodes=x,y] [types=t] [ttl=3s] [snapshot=ENTRIES]");
    stage_ = std::make_unique<stage>(how);
  }

  /// Directions: "a -> b", "a - b" (both) or "a" (all of a's, both).
  template <class Use>
  void each_way(const args& given, Use use) {
    if (given.size() == 3 && given[1] == "->")
      return use(given[0], given[2]);
    if (given.size() == 3 && given[1] == "-") {
      use(given[0], given[2]);
      return use(given[2], given[0]);
    }
    expect(given, 1, 1, "A, A - B or A -> B");
    for (const auto& other : on().all_names())
      if (other != given[0]) {
        use(given[0], other);
        use(other, given[0]);
      }
  }

  bool network(const std::string& command, const args& given) {
    if (command == "cut")
      each_way(given, [&](const auto& from, const auto& to) { on().cut(from, to); });
    else if (command == "heal")
      on().heal();
    else if (command == "hold") {
      expect(given, 3, 4, "hold A -> B [KIND]");
      on().hold(given[0], given[2], given.size() == 4 ? given[3] : std::string{});
    } else if (command == "slow-disk") {
      expect(given, 2, 2, "slow-disk VOTER TIME");
      on().slow_disk(given[0], time_of(given[1]));
    } else if (command == "let-go")
      on().let_go();
    else if (command == "lose")
      on().lose_held();
    else
      return false;
    return true;
  }

  bool processes(const std::string& command, const args& given) {
    using act = void (stage::*)(const std::string&);
    const std::pair<const char*, act> known[] = {{"crash", &stage::crash},
                                                 {"start", &stage::start},
                                                 {"pause", &stage::pause},
                                                 {"thaw", &stage::thaw},
                                                 {"leave", &stage::leave}};
    for (const auto& [name, what] : known)
      if (command == name) {
        expect(given, 1, 1, "COMMAND PROCESS");
        (on().*what)(given[0]);
        return true;
      }
    return false;
  }

  bool actors(const std::string& command, const args& given) {
    if (command == "lock") {
      lock(given);
    } else if (command == "exit") {
      expect(given, 1, 1, "exit NODE/aN");
      const auto whose = who_of(given[0]);
      on().exit(whose.node, whose.actor);
    } else if (command == "stubborn") {
      expect(given, 1, 1, "stubborn NODE/aN");
      const auto whose = who_of(given[0]);
      on().make_stubborn(whose.node, whose.actor);
    } else if (command == "name") {
      expect(given, 3, 3, "name NODE KEY TYPE");
      on().resolve(given[0], term_of(given[1]), given[2]);
    } else if (command == "put") {
      expect(given, 3, 3, "put NODE KEY VALUE");
      on().put(given[0], term_of(given[1]), term_of(given[2]).text());
    } else if (command == "drain") {
      expect(given, 2, 2, "drain NODE-THAT-ASKS NODE");
      on().drain(given[0], given[1]);
    } else {
      return false;
    }
    return true;
  }

  void lock(const args& given) {
    cluster::acquire_options how;
    std::vector<term> keys;
    for (std::size_t i = 1; i < given.size(); ++i) {
      const auto& word = given[i];
      if (word == "--try")
        how.mode = registry::acquire_mode::try_once;
      else if (word == "--strict")
        how.kind = registry::ownership::strict;
      else if (word.starts_with("--within="))
        how.deadline = time_point{time_of(word.substr(9))};
      else
        keys.push_back(term_of(word));
    }
    if (keys.empty())
      refuse("usage: lock NODE/aN KEY... [--try] [--strict] [--within=TIME]");
    std::sort(keys.begin(), keys.end());
    const auto whose = who_of(given[0]);
    on().lock(whose.node, whose.actor, std::move(keys), how);
  }

  bool questions(const std::string& command, const args& given) {
    if (command == "get") {
      expect(given, 2, 2, "get NODE KEY");
      on().ask(given[0], registry::query_get{"kv", term_of(given[1])});
    } else if (command == "why") {
      expect(given, 2, 2, "why NODE KEY");
      on().ask(given[0], registry::query_why{term_of(given[1])});
    } else if (command == "counts") {
      expect(given, 1, 1, "counts NODE");
      on().ask(given[0], registry::query_counts{});
    } else if (command == "lease") {
      expect(given, 1, 1, "lease NODE");
      print({on().lease(given[0])});
    } else if (command == "voters") {
      print(on().voters());
    } else if (command == "log") {
      expect(given, 0, 1, "log [FROM]");
      print(on().log(given.empty() ? 1 : number_of(given[0])));
    } else {
      return false;
    }
    return true;
  }

  void print(const std::vector<std::string>& lines) {
    printed_.insert(printed_.end(), lines.begin(), lines.end());
  }

  std::unique_ptr<stage> stage_;
  std::vector<std::string> printed_;
};

} // namespace

transcript parse(const std::string& text) {
  transcript result;
  block now;
  std::istringstream in{text};
  std::size_t number = 0;
  bool output = false;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (output) {
      if (!line.empty()) {
        now.expected.push_back(line);
        continue;
      }
      result.blocks.push_back(std::exchange(now, {}));
      output = false;
    }
    if (line == ruler) {
      if (now.commands.empty())
        refuse("line " + std::to_string(number) + ": `----` without a command above it");
      output = true;
    } else if (line.empty() || line.starts_with("#")) {
      if (!now.commands.empty())
        refuse("line " + std::to_string(now.line) + ": commands without `----` below them");
      now.before.push_back(line);
    } else {
      if (now.commands.empty())
        now.line = number;
      now.commands.push_back(line);
    }
  }
  if (!now.commands.empty() && !output)
    refuse("line " + std::to_string(now.line) + ": commands without `----` below them");
  if (output)
    result.blocks.push_back(std::move(now));
  else
    result.rest = std::move(now.before);
  return result;
}

std::string text_of(const transcript& what) {
  std::string out;
  const auto add = [&out](const std::vector<std::string>& lines) {
    for (const auto& line : lines)
      out += line + "\n";
  };
  bool behind_output = false;
  for (const auto& one : what.blocks) {
    // An empty line ends the output of the block before.
    if (behind_output && (one.before.empty() || !one.before.front().empty()))
      out += "\n";
    add(one.before);
    add(one.commands);
    out += std::string{ruler} + "\n";
    add(one.expected);
    behind_output = true;
  }
  add(what.rest);
  return out;
}

std::vector<std::vector<std::string>> play(const transcript& what) {
  player one;
  std::vector<std::vector<std::string>> result;
  for (const auto& part : what.blocks)
    result.push_back(one.run(part));
  return result;
}

} // namespace paxtor::transcripts
