#include "tools/steady_load.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <stdexcept>

#include <fcntl.h>
#include <unistd.h>

#include "tools/exit_status.hpp"
#include "tools/guard.hpp"

namespace paxtor::tools {

namespace {

using nlohmann::json;
using go_atom = caf::atom_constant<caf::atom("go")>;

/// Between two entries of a writer: a long run does not become a large one.
constexpr std::chrono::milliseconds put_pause{10};
/// After a failure, so that an error that stays does not spin.
constexpr std::chrono::milliseconds calm{20};
/// The longest that an owner works, in std::chrono::milliseconds.
constexpr std::uint64_t longest_work = 8;

std::int64_t boot_ns() {
  return boot_now().count();
}

} // namespace

struct steady_load::shared {
  shared(client& from, load_options what)
      : node(from),
        door(from.door()),
        how(std::move(what)),
        file(open(how.file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
    if (file < 0)
      throw std::runtime_error(how.file + ": " + std::strerror(errno));
  }
  ~shared() { close(file); }
  shared(const shared&) = delete;
  shared& operator=(const shared&) = delete;

  /// The whole line, or the process ends: a line that is missing would make a check pass or fail
  /// for nothing.
  void write_line(const std::string& line) {
    const auto whole = line + "\n";
    if (write(file, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size()))
      _exit(complain(how.file + ": " + std::strerror(errno), exit_failure));
  }

  client& node;
  const cluster door;
  const load_options how;
  const int file;
  std::atomic<bool> stopping{false};
  std::atomic<int> busy{0};
  std::atomic<std::uint64_t> grants{0};
  std::atomic<std::uint64_t> puts{0};
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::uint64_t> next_owner{0};
  std::atomic<std::uint64_t> next_entry{0};
};

namespace {

using load_ptr = std::shared_ptr<steady_load::shared>;

/// What an owner says of itself.
struct tenure {
  std::string key;
  std::uint64_t token = 0; ///< 0: it owns nothing yet
  std::optional<std::int64_t> ended;
};

void next_owner(const load_ptr& load);

/// Locks a key, works for a few std::chrono::milliseconds, ends; then there is the next one.
caf::behavior owner(caf::event_based_actor* self, const load_ptr& load, std::uint64_t number) {
  const auto mine = std::make_shared<tenure>();
  mine->key = "load-" + std::to_string(number % static_cast<std::uint64_t>(load->how.keys));
  self->attach_functor([=](const caf::error&) {
    // Killed by a fence, it ends here; what ends by itself has said when before the cluster knew.
    if (mine->token != 0)
      load->write_line("end " + mine->key + " " + std::to_string(mine->token) + " "
                       + std::to_string(mine->ended.value_or(boot_ns())));
    next_owner(load);
  });
  load->door.lock(self, key{json(mine->key)})
    .then(
      [=](const grant& held) {
        mine->token = held.token();
        load->write_line("begin " + mine->key + " " + std::to_string(mine->token) + " "
                         + std::to_string(boot_ns()));
        ++load->grants;
        self->delayed_send(self, std::chrono::milliseconds{held.token() * 7 % longest_work},
                           go_atom::value);
      },
      [=](const caf::error&) {
        ++load->failed;
        self->delayed_send(self, calm, go_atom::value);
      });
  return {[=](go_atom) {
    mine->ended = boot_ns();
    self->quit();
  }};
}

void next_owner(const load_ptr& load) {
  if (load->stopping)
    --load->busy;
  else
    load->node.system().spawn(owner, load, load->next_owner++);
}

/// Puts entries one after the other. All processes put the same entries: what is told to one of
/// them must be what is told to all.
caf::behavior writer(caf::event_based_actor* self, const load_ptr& load) {
  self->send(self, go_atom::value);
  return {[=](go_atom) {
    if (load->stopping) {
      --load->busy;
      self->quit();
      return;
    }
    const auto entry = "entry-" + std::to_string(load->next_entry++);
    load->door.put(self, "load", key{json(entry)}, json(load->how.author))
      .then(
        [=](const document& chosen) {
          load->write_line("put " + entry + " " + chosen.value.get<std::string>());
          ++load->puts;
          self->delayed_send(self, put_pause, go_atom::value);
        },
        [=](const caf::error&) {
          ++load->failed;
          self->delayed_send(self, calm, go_atom::value);
        });
  }};
}

} // namespace

steady_load::steady_load(client& node, const load_options& how)
    : shared_(std::make_shared<shared>(node, how)) {
  shared_->busy = how.owners + how.writers;
  for (int i = 0; i < how.owners; ++i)
    next_owner(shared_);
  for (int i = 0; i < how.writers; ++i)
    node.system().spawn(writer, shared_);
}

steady_load::~steady_load() {
  stop();
}

json steady_load::counts() const {
  return {{"grants", shared_->grants.load()},
          {"puts", shared_->puts.load()},
          {"failed", shared_->failed.load()},
          {"busy", shared_->busy.load()}};
}

void steady_load::stop() {
  shared_->stopping = true;
}

} // namespace paxtor::tools
