#include "test/storm/crew.hpp"

#include <algorithm>

#include "test/storm/lan.hpp"
#include "tools/guard.hpp"

namespace paxtor::storm {

namespace {

/// Entries that a round has for itself: each is put by all workers, again after a restart.
constexpr std::uint64_t entries_each = 10'000;

std::string ns(boot_time time) {
  return std::to_string(time.count());
}

const char* name_of(store_kind kind) {
  switch (kind) {
    case store_kind::none:
      return "worker";
    case store_kind::disk:
      return "disk";
    case store_kind::small:
      return "small disk";
    case store_kind::memory:
      return "memory";
  }
  return "";
}

std::string voters_of(const std::vector<machine>& machines) {
  std::string result;
  for (const auto& one : machines)
    if (one.voter())
      result += (result.empty() ? "" : ",") + one.name + "=" + one.address + ":"
                + std::to_string(node_port);
  return result;
}

setup setup_of(const storm_options& options, const test::authority* tls) {
  setup result;
  result.program = options.program;
  result.guardian = options.guardian;
  result.work = options.work;
  result.ttl = std::to_string(options.ttl.count()) + "ms";
  if (tls != nullptr) {
    const auto files = tls->files();
    result.links = {"--tls-certificate", files.certificate, "--tls-key",
                    files.key,           "--tls-ca",        files.ca};
  }
  return result;
}

} // namespace

std::string describe(const std::vector<machine>& machines, bool tls) {
  std::string result;
  for (const auto& one : machines)
    result += (result.empty() ? "" : ", ") + one.name + " (" + name_of(one.store)
              + (one.strict ? ", strict" : "") + (one.relayed ? ", relayed)" : ")");
  return result + (tls ? "; TLS" : "; no TLS");
}

std::string crew::describe() const {
  return storm::describe(machines_, authority_ != nullptr);
}

crew::crew(std::vector<machine> machines, bool tls, const storm_options& options)
    : machines_(std::move(machines)),
      authority_(tls ? std::make_unique<test::authority>() : nullptr),
      setup_(setup_of(options, authority_.get())),
      voters_(voters_of(machines_)),
      events_(options.work + "/events"),
      wires_(machines_) {
  build_lan(machines_);
  relay_ = std::make_unique<relay>(machines_);
  for (const auto& one : machines_) {
    auto& made = *nodes_.emplace_back(std::make_unique<node>(one, setup_, voters_, events_));
    if (!one.voter())
      made.on_ready = [this, &made] {
        made.process().write_json(
          {{"op", "go"}, {"id", 0}, {"first_entry", unrests_ * entries_each}});
      };
    made.start();
  }
}

crew::~crew() {
  end();
}

node& crew::at(const std::string& name) {
  return **std::find_if(nodes_.begin(), nodes_.end(),
                        [&](const auto& one) { return one->at().name == name; });
}

std::vector<node*> crew::workers() {
  std::vector<node*> result;
  for (const auto& one : nodes_)
    if (!one->at().voter())
      result.push_back(one.get());
  return result;
}

void crew::begin_unrest() {
  ++unrests_;
  events_.write("unrest " + ns(tools::boot_now()));
  for (auto* one : workers())
    if (one->running() && one->ready())
      one->on_ready();
}

void crew::begin(const fault& one, boot_time until) {
  switch (one.kind) {
    case fault_kind::pause:
      at(one.who.front()).pause(one.guardian_too);
      break;
    case fault_kind::kill:
      at(one.who.front()).kill(one.guardian_too, until);
      return;
    case fault_kind::lose:
      at(one.who.front()).lose(one.guardian_too, until);
      return;
    case fault_kind::leave:
      at(one.who.front()).leave(until);
      return;
    case fault_kind::fill:
      at(one.who.front()).fill_disk();
      break;
    default:
      break;
  }
  faults_.push_back({one, until});
  apply();
}

void crew::end_fault(const running& one) {
  if (one.what.kind == fault_kind::pause)
    at(one.what.who.front()).resume();
  else if (one.what.kind == fault_kind::fill)
    at(one.what.who.front()).empty_disk();
}

void crew::apply() {
  std::vector<fault> active;
  std::map<std::string, unsigned> delays;
  unsigned hogs = 0;
  for (const auto& one : faults_) {
    active.push_back(one.what);
    if (one.what.kind == fault_kind::delay)
      delays[one.what.who.front()] = std::max(delays[one.what.who.front()], one.what.amount);
    else if (one.what.kind == fault_kind::hog)
      hogs += one.what.amount;
  }
  wires_.set(active);
  for (const auto& one : machines_) {
    auto rules = wires_.rules(one);
    auto& now = rules_[one.name];
    if (rules != now)
      set_rules(one, rules);
    now = std::move(rules);
    if (one.relayed)
      relay_->delay(one.name, milliseconds{delays[one.name]});
  }
  while (hogs_.size() > hogs)
    hogs_.pop_back();
  while (hogs_.size() < hogs)
    hogs_.push_back(std::make_unique<tools::process>(
      std::vector<std::string>{"sh", "-c", "while :; do :; done"}));
}

void crew::look() {
  const auto now = tools::boot_now();
  const auto over = std::stable_partition(faults_.begin(), faults_.end(),
                                          [&](const running& one) { return one.until > now; });
  if (over != faults_.end()) {
    const std::vector<running> ended{over, faults_.end()};
    faults_.erase(over, faults_.end());
    for (const auto& one : ended)
      end_fault(one);
    apply();
  }
  for (const auto& one : nodes_) {
    if (!hogs_.empty())
      one->starved(now);
    one->look(now);
  }
  note_majority(now);
}

void crew::note_majority(boot_time now) {
  std::set<std::string> up;
  for (const auto& one : nodes_)
    if (one->up())
      up.insert(one->at().name);
  const bool is = wires_.majority(up);
  if (is != majority_)
    events_.write("majority " + ns(now) + (is ? " 1" : " 0"));
  majority_ = is;
}

void crew::heal(bool not_all) {
  for (const auto& one : faults_)
    end_fault(one);
  faults_.clear();
  if (not_all) {
    fault deaf;
    deaf.kind = fault_kind::isolate;
    deaf.who = {machines_.back().name};
    faults_.push_back({deaf, boot_time::max()});
  }
  apply();
  const auto now = tools::boot_now();
  for (const auto& one : nodes_)
    one->come_back(now);
  events_.write("calm " + ns(now));
}

void crew::crash_somebody() {
  // The end of one that was told to end anyway is no finding.
  const auto found =
    std::find_if(nodes_.begin(), nodes_.end(), [](const auto& one) { return one->up(); });
  if (found != nodes_.end())
    (*found)->crash();
}

void crew::end() {
  hogs_.clear();
  for (const auto& one : nodes_) {
    one->stay_away();
    if (one->running()) {
      one->kill(true, {});
      one->stay_away();
      one->process().wait(std::chrono::seconds{10});
      one->look(tools::boot_now());
    }
  }
}

std::vector<std::string> crew::crashes() const {
  std::vector<std::string> result;
  for (const auto& one : nodes_)
    result.insert(result.end(), one->crashes().begin(), one->crashes().end());
  return result;
}

void crew::count(report& out) const {
  for (const auto& one : nodes_) {
    out.starts += static_cast<int>(one->lives().size());
    out.watchdog_ends += one->watchdog_ends();
    out.full_ends += one->full_ends();
    out.joins_given_up += one->joins_given_up();
  }
  out.relayed_bytes = relay_->bytes();
}

std::string crew::ask_program(const machine& at, const std::vector<std::string>& command) const {
  auto words = on(at);
  words.push_back(setup_.program);
  words.insert(words.end(), command.begin(), command.end());
  for (const auto& word : {std::string{"--voters"}, voters_, std::string{"--ttl"}, setup_.ttl})
    words.push_back(word);
  words.insert(words.end(), setup_.links.begin(), setup_.links.end());
  tools::process_options options;
  options.pipe_stderr = true;
  tools::process child{words, options};
  const auto said = child.read_all(std::chrono::seconds{10});
  return said + child.read_errors(std::chrono::seconds{1});
}

} // namespace paxtor::storm
