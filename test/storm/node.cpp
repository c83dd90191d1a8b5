#include "test/storm/node.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "test/storm/lan.hpp"
#include "tools/exit_status.hpp"
#include "tools/guard.hpp"
#include "tools/text.hpp"

namespace paxtor::storm {

namespace {

namespace fs = std::filesystem;

constexpr const char* disk_size = "size=48m";
/// How long after a fault an end may be its work.
constexpr std::chrono::seconds aftermath{15};
/// Before a node that ended by itself is started again.
constexpr std::chrono::milliseconds breath{500};
/// As in actors/watchdog.hpp.
constexpr int watchdog_status = 70;
constexpr std::size_t most_words = 2000;

std::string text_of(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// The guardians that this process has started.
std::vector<pid_t> guardians_of(pid_t parent) {
  std::vector<pid_t> result;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    if (name.front() < '1' || name.front() > '9')
      continue;
    // PID (NAME) STATE PARENT
    const auto stat = text_of("/proc/" + name + "/stat");
    const auto end = stat.rfind(')');
    if (end != std::string::npos && std::atoi(stat.c_str() + end + 4) == parent
        && stat.find("(paxtor-guardian)") != std::string::npos)
      result.push_back(std::stoi(name));
  }
  return result;
}

std::string count(boot_time time) {
  return std::to_string(time.count());
}

} // namespace

journal::journal(const std::string& path) : file_(std::fopen(path.c_str(), "ae")) {
  if (file_ == nullptr)
    throw std::runtime_error(path + ": " + std::strerror(errno));
}

journal::~journal() {
  std::fclose(file_);
}

void journal::write(const std::string& line) {
  std::fputs((line + "\n").c_str(), file_);
  std::fflush(file_);
}

std::vector<std::string> lines_of(const std::string& path) {
  return tools::split(text_of(path), '\n');
}

node::node(machine at, const setup& how, std::string voters, journal& events)
    : at_(std::move(at)), how_(how), voters_(std::move(voters)), events_(events) {
  const auto disk = file("disk-" + at_.name);
  fs::create_directories(disk);
  if (at_.store == store_kind::small
      && mount("tmpfs", disk.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, disk_size) != 0)
    throw std::runtime_error("a small disk on " + disk + ": " + std::strerror(errno));
}

std::string node::life() const {
  return at_.name + "." + std::to_string(number_);
}

std::vector<std::string> node::lives() const {
  std::vector<std::string> result;
  for (int i = 1; i <= number_; ++i)
    result.push_back(at_.name + "." + std::to_string(i));
  return result;
}

std::string node::records_of(const std::string& life) const {
  return file(life + ".records");
}

std::vector<std::string> node::command() const {
  // Its stderr goes into a file of its own.
  std::vector<std::string> result{"sh", "-c", "exec \"$@\" 2>>\"$0\"", file(life() + ".err")};
  const auto place = on(at_);
  result.insert(result.end(), place.begin(), place.end());
  const auto add = [&](std::initializer_list<std::string> words) {
    result.insert(result.end(), words);
  };
  if (at_.voter())
    add({how_.program, "node", "--json"});
  else
    add({tools::own_program(), "worker", "--records", records_of(life()), "--stamp", sign_->file(),
         "--author", life(), "--keys", std::to_string(how_.keys), "--names",
         std::to_string(how_.names), "--join-timeout", "20s", "--listen",
         at_.address + ":" + std::to_string(node_port)});
  add({"--name", at_.name, "--voters", voters_, "--ttl", how_.ttl, "--log-level", "warn",
       "--guardian-program", how_.guardian});
  result.insert(result.end(), how_.links.begin(), how_.links.end());
  if (at_.strict || at_.store == store_kind::disk || at_.store == store_kind::small)
    add({"--data-dir", store()});
  return result;
}

void node::start() {
  if (std::exchange(lost_, false))
    fs::remove_all(store());
  ++number_;
  back_at_.reset();
  ready_ = paused_ = killed_ = leaving_ = false;
  if (!at_.voter())
    sign_ = std::make_unique<tools::life_sign>(how_.work);
  tools::process_options options;
  options.pipe_stdin = true;
  child_ = std::make_unique<tools::process>(command(), options);
}

void node::look(boot_time now) {
  if (!child_) {
    if (back_at_ && *back_at_ <= now)
      start();
    return;
  }
  // Before its end is judged: it may have met the full disk since the last look.
  if (full_)
    last_full_ = now;
  if (const auto status = child_->wait(milliseconds{0})) {
    ended(*status, now);
    return;
  }
  if (!ready_) {
    if (const auto said = child_->read_json(milliseconds{0}); said && said->value("ready", false)) {
      ready_ = true;
      if (on_ready)
        on_ready();
    }
  }
}

void node::ended(int status, boot_time now) {
  // The last sign of life, not when somebody looked: that may be late, and its heirs are not.
  const auto seen = sign_ ? sign_->last() : now;
  events_.write("dead " + life() + " " + count(seen.count() > 0 ? seen : now) + " "
                + std::to_string(status));
  child_.reset();
  // Orphans that were stopped with it.
  for (const auto pid : guardians_paused_)
    ::kill(pid, SIGCONT);
  guardians_paused_.clear();
  const bool was_ready = std::exchange(ready_, false);
  paused_ = false;
  if (killed_ || (leaving_ && status == tools::exit_ok)) {
    // As was wanted.
  } else if (now - last_full_ < aftermath) {
    ++full_ends_;
  } else if (status == watchdog_status
             && (now - last_starved_ < aftermath || stalled_lately(now))) {
    ++watchdog_ends_;
  } else if (status == tools::exit_unavailable && !was_ready) {
    ++joins_given_up_;
  } else {
    crashes_.push_back(life() + " ended with status " + std::to_string(status)
                       + ", and nobody had killed it: " + last_words());
  }
  if (!back_at_ && !away_)
    back_at_ = now + breath;
}

bool node::stalled_lately(boot_time now) const {
  if (at_.voter())
    return false;
  history_reader reader;
  reader.read_worker(life(), lines_of(records_of(life())));
  const auto lives = reader.finish(now).lives;
  const auto& freezes = lives.at(life()).freezes;
  return std::any_of(freezes.begin(), freezes.end(),
                     [&](const freeze& one) { return now - one.until < aftermath; });
}

std::string node::last_words() const {
  auto words = text_of(file(life() + ".err"));
  if (words.size() > most_words)
    words.erase(0, words.size() - most_words);
  return words;
}

void node::signal_guardians(int number) {
  for (const auto pid : guardians_of(child_->pid()))
    ::kill(pid, number);
}

void node::pause(bool guardian_too) {
  if (!running() || paused_)
    return;
  if (guardian_too) {
    guardians_paused_ = guardians_of(child_->pid());
    signal_guardians(SIGSTOP);
  }
  events_.write("stop " + life() + " " + count(tools::boot_now()));
  child_->signal(SIGSTOP);
  paused_ = true;
}

void node::resume() {
  if (!running() || !paused_)
    return;
  child_->signal(SIGCONT);
  events_.write("cont " + life() + " " + count(tools::boot_now()));
  paused_ = false;
  last_starved_ = tools::boot_now();
  for (const auto pid : guardians_paused_)
    ::kill(pid, SIGCONT);
  guardians_paused_.clear();
}

void node::kill(bool guardian_too, boot_time back_at) {
  back_at_ = back_at;
  if (!running())
    return;
  killed_ = true;
  if (guardian_too)
    signal_guardians(SIGKILL);
  child_->signal(SIGKILL);
}

void node::lose(bool guardian_too, boot_time back_at) {
  lost_ = true;
  kill(guardian_too, back_at);
}

void node::leave(boot_time back_at) {
  back_at_ = back_at;
  if (!running())
    return;
  // Before it has joined it may die of the signal, or see no end of its input.
  killed_ = killed_ || !ready_;
  leaving_ = true;
  if (!ready_)
    child_->signal(SIGKILL);
  else if (at_.voter())
    child_->signal(SIGTERM);
  else
    child_->close_stdin();
}

void node::fill_disk() {
  full_ = true;
  const int fd = open(file("disk-" + at_.name + "/ballast").c_str(),
                      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0)
    return;
  for (std::size_t size = 1 << 16; size >= 512; size /= 2) {
    const std::string page(size, 'x');
    while (write(fd, page.data(), page.size()) == static_cast<ssize_t>(page.size()))
      ;
  }
  close(fd);
}

void node::empty_disk() {
  full_ = false;
  last_full_ = tools::boot_now();
  unlink(file("disk-" + at_.name + "/ballast").c_str());
}

void node::come_back(boot_time now) {
  if (!running())
    back_at_ = now;
}

void node::crash() {
  if (running())
    child_->signal(SIGABRT);
}

} // namespace paxtor::storm
