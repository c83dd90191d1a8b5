#include "tools/team.hpp"

#include <stdexcept>

#include <sys/prctl.h>

#include "tools/guard_child.hpp"

namespace paxtor::tools {

int team_member::order(nlohmann::json what) {
  what["id"] = next_id_;
  child_->write_json(what);
  return next_id_++;
}

nlohmann::json team_member::answer(int id, milliseconds patience) {
  for (auto i = early_.begin(); i != early_.end(); ++i) {
    if ((*i)["id"] == id) {
      auto result = *i;
      early_.erase(i);
      return result;
    }
  }
  const auto deadline = clock::now() + patience;
  while (auto line = child_->read_json(std::chrono::ceil<milliseconds>(deadline - clock::now()))) {
    if (line->value("id", -1) == id)
      return *line;
    early_.push_back(std::move(*line));
  }
  return nullptr;
}

bool team_member::wait_ready(milliseconds patience, std::string& why) {
  const auto line = child_->read_json(patience);
  if (line && line->value("ready", false))
    return true;
  why = "node " + name
        + " did not get ready: " + (line ? line->value("error", line->dump()) : "no answer");
  return false;
}

void team_member::require_ready(milliseconds patience) {
  std::string why;
  if (!wait_ready(patience, why))
    throw std::runtime_error(why);
}

team::team(const std::vector<std::string>& names, const std::vector<std::string>& flags,
           int printer_fd, const std::string& store_under)
    : flags_(flags), printer_fd_(printer_fd) {
  if (!store_under.empty())
    store_.emplace(store_under, "paxtor-bench");
  // A guardian whose node was killed becomes a child of this process.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  // A port that was free a moment ago may be taken now: try others.
  std::string why;
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (start(names, why))
      return;
    members_.clear();
  }
  throw std::runtime_error(why);
}

team::~team() {
  members_.clear();
  kill_descendants(-1);
}

bool team::start(const std::vector<std::string>& names, std::string& why) {
  const auto ports = free_ports(names.size());
  voters_.clear();
  for (std::size_t i = 0; i < names.size(); ++i)
    voters_ += (i == 0 ? "" : ",") + names[i] + "=127.0.0.1:" + std::to_string(ports[i]);
  for (std::size_t i = 0; i < names.size(); ++i)
    members_.push_back(
      spawn(names[i], "127.0.0.1:" + std::to_string(ports[i]), store_flags(names[i])));
  for (const auto& member : members_) {
    if (!member->wait_ready(std::chrono::seconds{20}, why))
      return false;
  }
  return true;
}

std::unique_ptr<team_member> team::spawn(const std::string& name, const std::string& address,
                                         const std::vector<std::string>& more) {
  std::vector<std::string> argv{own_program(), "demo-node", "--name", name, "--voters", voters_};
  argv.insert(argv.end(), flags_.begin(), flags_.end());
  argv.insert(argv.end(), more.begin(), more.end());
  process_options options;
  options.pipe_stdin = true;
  options.extra_fd = printer_fd_;
  return std::make_unique<team_member>(name, address, std::make_unique<process>(argv, options));
}

team_member& team::add_client(const std::string& name, const std::vector<std::string>& flags) {
  return add(spawn(name, "", flags));
}

team_member& team::add_host(const std::string& name) {
  return add(spawn(name, "", {"--listen", "127.0.0.1:0"}));
}

team_member& team::start_standby(const std::string& name) {
  auto flags = store_flags(name);
  flags.insert(flags.end(), {"--standby", "--listen", "127.0.0.1:0"});
  members_.push_back(spawn(name, "", flags));
  return *members_.back();
}

team_member& team::start_again(const std::string& name) {
  auto& place = find(name);
  place->child().kill_now();
  place = spawn(name, place->address, store_flags(name));
  return *place;
}

std::vector<std::string> team::store_flags(const std::string& name) const {
  return store_ ? std::vector<std::string>{"--data-dir", data_dir(name)}
                : std::vector<std::string>{};
}

team_member& team::add(std::unique_ptr<team_member> member) {
  member->require_ready(std::chrono::seconds{15});
  members_.push_back(std::move(member));
  return *members_.back();
}

team_member& team::member(const std::string& name) {
  return *find(name);
}

std::unique_ptr<team_member>& team::find(const std::string& name) {
  for (auto& member : members_) {
    if (member->name == name)
      return member;
  }
  throw std::runtime_error("no node " + name + " in the team");
}

} // namespace paxtor::tools
