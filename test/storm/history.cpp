#include "test/storm/history.hpp"

#include <algorithm>
#include <sstream>

namespace paxtor::storm {

namespace {

std::istream& operator>>(std::istream& in, boot_time& out) {
  std::int64_t ns = 0;
  in >> ns;
  out = boot_time{ns};
  return in;
}

} // namespace

void history_reader::read_worker(const std::string& life, const std::vector<std::string>& lines) {
  made_.lives.try_emplace(life);
  for (const auto& line : lines)
    if (!line.empty())
      worker_line(life, line);
}

void history_reader::worker_line(const std::string& life, const std::string& line) {
  std::istringstream in{line};
  std::string what;
  in >> what;
  if (what == "begin") {
    ownership one;
    one.life = life;
    in >> one.key >> one.token >> one.begin >> one.waited;
    if (in) {
      std::string how;
      in >> how;
      one.strict = how == "strict";
      const auto fresh =
        open_[life].emplace(std::pair{one.key, one.token}, made_.owners.size()).second;
      if (!fresh)
        made_.problems.push_back(one.key + ": owned twice at once in " + life + ": " + line);
      made_.owners.push_back(one);
      return;
    }
  } else if (what == "end") {
    std::string key;
    std::string how;
    std::uint64_t token = 0;
    boot_time when{};
    if (in >> key >> token >> when) {
      in >> how;
      auto& open = open_[life];
      const auto found = open.find({key, token});
      if (found == open.end()) {
        made_.problems.push_back(life + ": an end without a beginning: " + line);
        return;
      }
      auto& one = made_.owners[found->second];
      one.end = when;
      one.killed = how == "killed";
      if (when < one.begin)
        made_.problems.push_back(life + ": it ended before it began: " + line);
      open.erase(found);
      return;
    }
  } else if (what == "put") {
    std::string key;
    std::string value;
    if (in >> key >> value) {
      const auto [known, fresh] = made_.entries.emplace(key, value);
      if (!fresh && known->second != value)
        made_.problems.push_back("entry " + key + " was told to be '" + value + "' and '"
                                 + known->second + "'");
      return;
    }
  } else if (what == "stall") {
    freeze one;
    one.stall = true;
    if (in >> one.from >> one.until) {
      made_.lives[life].freezes.push_back(one);
      return;
    }
  }
  made_.problems.push_back(life + ": not a line of a worker: " + line);
}

void history_reader::read_events(const std::vector<std::string>& lines) {
  for (const auto& line : lines)
    if (!line.empty() && !event_line(line))
      made_.problems.push_back("not a line of the harness: " + line);
}

bool history_reader::event_line(const std::string& line) {
  std::istringstream in{line};
  std::string what;
  std::string life;
  boot_time when{};
  in >> what;
  if (what == "unrest" && in >> when) {
    unrest_since_ = when;
    return true;
  }
  if (what == "calm" && in >> when && unrest_since_) {
    made_.unrest.push_back({*unrest_since_, when});
    unrest_since_.reset();
    return true;
  }
  if (bool is = false; what == "majority" && in >> when >> is) {
    made_.majority[when] = is;
    return true;
  }
  if (in.fail() || !(in >> life >> when))
    return false;
  if (what == "stop") {
    stopped_[life] = when;
    return true;
  }
  if (what == "cont" && stopped_.contains(life)) {
    made_.lives[life].freezes.push_back({stopped_[life], when, false});
    stopped_.erase(life);
    return true;
  }
  if (what == "dead") {
    made_.lives[life].dead = when;
    // It was killed while it was stopped.
    if (const auto found = stopped_.find(life); found != stopped_.end()) {
      made_.lives[life].freezes.push_back({found->second, std::max(found->second, when), false});
      stopped_.erase(found);
    }
    return true;
  }
  return false;
}

history history_reader::finish(std::optional<boot_time> now) {
  for (auto& one : made_.owners) {
    if (one.end)
      continue;
    const auto& dead = made_.lives[one.life].dead;
    if (dead)
      one.end = std::max(one.begin, *dead);
    else if (now)
      one.end = std::max(one.begin, *now);
    else
      made_.problems.push_back(one.key + ", token " + std::to_string(one.token) + ", in " + one.life
                               + ": has no end, and its process none either");
  }
  for (auto& [name, life] : made_.lives) {
    const auto all = life.freezes;
    for (auto& one : life.freezes)
      one.stall = one.stall && std::none_of(all.begin(), all.end(), [&](const freeze& by) {
                    return !by.stall && by.from < one.until && one.from < by.until;
                  });
    std::sort(life.freezes.begin(), life.freezes.end(),
              [](const freeze& a, const freeze& b) { return a.from < b.from; });
  }
  open_.clear();
  return std::move(made_);
}

} // namespace paxtor::storm
