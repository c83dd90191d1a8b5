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
using start_atom = caf::atom_constant<caf::atom("start")>;
using go_atom = caf::atom_constant<caf::atom("go")>;

/// After a failure, so that an error that stays does not spin.
constexpr std::chrono::milliseconds calm{20};
std::int64_t boot_ns() {
  return boot_now().count();
}

} // namespace

struct steady_load::shared {
  shared(client& from, load_options what)
      : node(from),
        door(from.door()),
        how(std::move(what)),
        file(open(how.file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)),
        next_entry(how.first_entry) {
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
  std::atomic<std::uint64_t> next_entry;
};

namespace {

using load_ptr = std::shared_ptr<steady_load::shared>;

/// What an owner says of itself.
struct tenure {
  std::vector<std::string> keys;
  std::uint64_t token = 0;
  std::int64_t asked = 0;
  std::optional<std::int64_t> ended;
};

/// `place` is that of the one that ended, below load_options::owners.
void next_owner(const load_ptr& load, int place);

std::vector<std::string> keys_of(const load_options& how, std::uint64_t number, int place) {
  if (place == 0 && !how.own_key.empty())
    return {how.own_key};
  const auto keys = static_cast<std::uint64_t>(how.keys);
  const auto name = [](std::uint64_t n) { return "load-" + std::to_string(n); };
  std::vector<std::string> result{name(number % keys)};
  if (keys > 1 && number % 100 < how.pairs_percent)
    result.push_back(name((number + 1 + number / 100 % (keys - 1)) % keys));
  return result;
}

lock_options options_of(const load_options& how, std::uint64_t number) {
  lock_options result;
  // Others than those that take two keys.
  if (99 - number % 100 < how.deadline_percent)
    result.deadline = how.deadline;
  // Spread over those that take two keys, that have a deadline, and the others.
  if (number * 37 % 100 < how.strict_percent)
    result.kind = ownership::strict;
  return result;
}

void write_end(const load_ptr& load, const tenure& mine) {
  // Killed by a fence, it ends here; what ends by itself has said when before the cluster knew.
  const auto when = std::to_string(mine.ended.value_or(boot_ns()));
  for (const auto& key : mine.keys)
    load->write_line("end " + key + " " + std::to_string(mine.token) + " " + when
                     + (mine.ended ? "" : " killed"));
}

/// Locks a key or two, works for some milliseconds, ends; then there is the next one.
caf::behavior owner(caf::event_based_actor* self, const load_ptr& load, std::uint64_t number,
                    int place) {
  const auto mine = std::make_shared<tenure>();
  mine->keys = keys_of(load->how, number, place);
  const auto options = options_of(load->how, number);
  const std::string strict = options.kind == ownership::strict ? " strict" : "";
  self->attach_functor([=](const caf::error&) { next_owner(load, place); });
  self->delayed_send(self, load->how.rest, start_atom::value);
  return {
    [=](start_atom) {
      mine->asked = boot_ns();
      std::vector<key> keys;
      for (const auto& text : mine->keys)
        keys.emplace_back(json(text));
      load->door.lock(self, paxtor::keys{keys}, options)
        .then(
          [=](const grant& held) {
            mine->token = held.token();
            const auto now = boot_ns();
            for (const auto& key : mine->keys)
              load->write_line("begin " + key + " " + std::to_string(mine->token) + " "
                               + std::to_string(now) + " " + std::to_string(now - mine->asked)
                               + strict);
            // What is attached last is called first: the end is written before the node, which has
            // watched this actor since it asked, is told of it.
            self->attach_functor([=](const caf::error&) { write_end(load, *mine); });
            ++load->grants;
            const auto longest = static_cast<std::uint64_t>(load->how.longest_work.count());
            self->delayed_send(self, std::chrono::milliseconds{held.token() * 7 % longest},
                               go_atom::value);
          },
          [=](const caf::error&) {
            ++load->failed;
            self->delayed_send(self, calm, go_atom::value);
          });
    },
    [=](go_atom) {
      mine->ended = boot_ns();
      self->quit();
    },
  };
}

void next_owner(const load_ptr& load, int place) {
  if (load->stopping)
    --load->busy;
  else
    load->node.system().spawn(owner, load, load->next_owner++, place);
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
          self->delayed_send(self, load->how.put_pause, go_atom::value);
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
    next_owner(shared_, i);
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
