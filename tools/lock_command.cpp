/// `paxtor lock`: runs a command while it holds one lock or several.

#include <cstring>
#include <future>
#include <iostream>
#include <memory>
#include <mutex>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/exit_status.hpp"
#include "tools/guard.hpp"
#include "tools/signals.hpp"
#include "tools/text.hpp"

namespace paxtor::tools {

namespace {

/// How often the lease is looked at while the command runs: well below the smallest margin (75 ms
/// at a ttl of 300 ms).
constexpr int look_every_ms = 10;

struct lock_args {
  settings given;
  std::vector<std::string> keys;
  std::string timeout;
  bool try_once = false;
  bool strict = false;
};

/// What the owner actor and the main thread share. The owner holds the lock and, once granted,
/// stands still in its handler until the main thread has seen the last process of the command go.
/// So the lock cannot be released, nor its session closed, before that; and if it comes to the
/// worst the library's watchdog ends this process (F2), and the guard the command.
struct holding {
  std::promise<caf::expected<grant>> answer;
  std::once_flag once;
  std::promise<void> done;
  std::shared_future<void> is_done{done.get_future()};
  int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

  void answered(caf::expected<grant> what) {
    std::call_once(once, [&] {
      answer.set_value(std::move(what));
      const std::uint64_t one = 1;
      // An eventfd with room for one cannot fail.
      if (write(wake, &one, sizeof one) < 0)
        std::abort();
    });
  }
  ~holding() { close(wake); }
};

caf::behavior owner(caf::event_based_actor* self, const std::shared_ptr<holding>& shared,
                    const cluster& door, const std::vector<key>& wanted,
                    const lock_options& options) {
  door.lock(self, keys{wanted}, options)
    .then(
      [self, shared](const grant& held) {
        shared->answered(held);
        shared->is_done.wait();
        self->quit();
      },
      [self, shared](const caf::error& err) {
        shared->answered(err);
        self->quit();
      });
  return {[](inc_atom) {}};
}

/// The terminal back to this program, if the command had it.
void take_terminal_back() {
  const int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
  if (tty < 0)
    return;
  sigset_t quiet;
  sigset_t before;
  sigemptyset(&quiet);
  sigaddset(&quiet, SIGTTOU);
  pthread_sigmask(SIG_BLOCK, &quiet, &before);
  tcsetpgrp(tty, getpgrp());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  close(tty);
}

bool has_terminal() {
  const int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
  if (tty < 0)
    return false;
  const bool ours = tcgetpgrp(tty) == getpgrp();
  close(tty);
  return ours;
}

/// Runs the command under the grant; returns the exit status.
class supervision {
public:
  supervision(guard& child, signals& incoming, const grant& held, bool strict)
      : child_(child), incoming_(incoming), held_(held), strict_(strict) {}

  int run(const std::string& command, const std::vector<std::string>& variables) {
    const bool terminal = has_terminal();
    extend();
    child_.run(variables);
    while (!gone_) {
      pollfd ready[2] = {{child_.fd(), POLLIN, 0}, {incoming_.fd(), POLLIN, 0}};
      poll(ready, 2, look_every_ms);
      if (const int number = incoming_.take(); number != 0)
        child_.signal(number);
      look_at_lease();
      while (auto event = child_.next(std::chrono::milliseconds{0}))
        on_event(*event, command);
    }
    if (terminal)
      take_terminal_back();
    if (lost_)
      return complain("lost the lock " + join_text(held_.keys(), ", ") + " (token "
                        + std::to_string(held_.token())
                        + "): this node did not reach a majority in time; the command was killed",
                      exit_lock_lost);
    return status_;
  }

private:
  void extend() {
    if (strict_)
      return;
    // G1: the guard keeps the same deadline, for the case that this process is frozen and its
    // command is not.
    const auto until = boot_now() + held_.time_left();
    if (until - told_ > std::chrono::milliseconds{5}) {
      told_ = until;
      child_.keep_until(until);
    }
  }

  void look_at_lease() {
    if (held_.valid()) {
      extend();
    } else if (!lost_) {
      lost_ = true;
      child_.kill_all();
    }
  }

  void on_event(const guard_event& event, const std::string& command) {
    switch (event.what) {
      case guard_event::kind::started:
        return;
      case guard_event::kind::not_started: {
        const auto problem = static_cast<int>(event.value);
        status_ = complain("cannot run '" + command + "': " + std::strerror(problem),
                           problem == ENOENT ? exit_not_found : exit_cannot_run);
        return;
      }
      case guard_event::kind::ended: {
        const auto status = static_cast<int>(event.value);
        status_ = WIFSIGNALED(status) ? exit_signal + WTERMSIG(status) : WEXITSTATUS(status);
        return;
      }
      case guard_event::kind::suspended:
        if (event.value == SIGTSTP)
          complain("the command holds a lock and cannot be suspended; it goes on", 0);
        else
          complain("the command is stopped and keeps the lock; 'kill -CONT' lets it go on", 0);
        return;
      case guard_event::kind::all_gone:
        // Killed at the deadline before this process looked: it was frozen.
        if (event.value == 1)
          lost_ = true;
        gone_ = true;
        return;
      case guard_event::kind::lost:
        status_ = complain("the guard of the command was killed; so was the command", exit_failure);
        gone_ = true;
        return;
    }
  }

  guard& child_;
  signals& incoming_;
  const grant& held_;
  bool strict_;
  bool lost_ = false;
  bool gone_ = false;
  int status_ = 0;
  boot_time told_{0};
};

/// Waits for the grant or a signal. Returns the signal, or 0.
int wait_for_answer(const holding& shared, signals& incoming) {
  for (;;) {
    pollfd ready[2] = {{shared.wake, POLLIN, 0}, {incoming.fd(), POLLIN, 0}};
    poll(ready, 2, -1);
    if (const int number = incoming.take(); number != 0)
      return number;
    if (ready[0].revents != 0)
      return 0;
  }
}

/// Ends the owner, which releases or withdraws, and waits for its end. Takes the last handle: the
/// thread of a detached actor ends with its last reference, and the actor system waits for it.
void end_owner(client& node, caf::actor actor, holding& shared) {
  shared.done.set_value();
  caf::scoped_actor self{node.system()};
  self->send_exit(actor, caf::exit_reason::user_shutdown);
  self->wait_for(actor);
}

bool wanted_keys(const lock_args& args, std::vector<key>& out, std::string& variable) {
  nlohmann::json several = nlohmann::json::array();
  for (const auto& text : args.keys) {
    auto one = key::from_user(text);
    if (!one.ok()) {
      complain(one.problem(), exit_usage);
      return false;
    }
    several.push_back(nlohmann::json::parse(one.text()));
    out.push_back(std::move(one));
  }
  variable = "PAXTOR_KEY=" + (several.size() == 1 ? several.front() : several).dump();
  return true;
}

int run_lock(const lock_args& args, const command_line& line) {
  if (line.tail.empty())
    return complain("lock: which command? paxtor lock KEY -- COMMAND ARGS", exit_usage);
  lock_options options;
  options.try_once = args.try_once;
  options.kind = args.strict ? ownership::strict : ownership::bounded;
  std::string why;
  if (!args.timeout.empty()) {
    options.deadline = parse_duration(args.timeout, why);
    if (!options.deadline)
      return complain("--timeout: " + why, exit_usage);
  }
  std::vector<key> wanted;
  std::string key_variable;
  if (!wanted_keys(args, wanted, key_variable))
    return exit_usage;
  signals incoming;
  // Before any thread is there: see guard.hpp.
  guard child;
  if (!child.start(line.tail, why))
    return complain(why, exit_failure);
  int status = exit_ok;
  std::unique_ptr<client> node;
  {
    impatience quit{incoming};
    node_options own;
    // If this process dies, its guardian frees the lock only when the command is gone (G5).
    own.guardian_awaits = {child.gone_fd()};
    node = join_for_command(args.given, "lock", status, stay::owner, std::move(own));
  }
  if (!node)
    return status;
  child.spare([door = node->door()] {
    const auto guardian = door.status()["guardian"];
    return guardian.contains("pid") && guardian["pid"].is_number() ? guardian["pid"].get<pid_t>()
                                                                   : pid_t{-1};
  });
  auto shared = std::make_shared<holding>();
  auto answer = shared->answer.get_future();
  auto actor = node->system().spawn<caf::detached>(owner, shared, node->door(), wanted, options);
  // An owner that is stopped before it is answered answers too.
  actor->attach_functor([shared](const caf::error& reason) {
    shared->answered(
      make_error(errc::ownership_lost, "stopped while it waited: " + describe(reason)));
  });
  if (const int number = wait_for_answer(*shared, incoming); number != 0) {
    impatience quit{incoming};
    end_owner(*node, std::move(actor), *shared);
    node.reset();
    return exit_signal + number;
  }
  const auto held = answer.get();
  if (held)
    status = supervision{child, incoming, *held, args.strict}.run(
      line.tail.front(), {key_variable, "PAXTOR_TOKEN=" + std::to_string(held->token())});
  else
    status = complain(held.error());
  impatience quit{incoming};
  end_owner(*node, std::move(actor), *shared);
  node.reset();
  return status;
}

} // namespace

void add_lock_command(CLI::App& app, command_line& line) {
  auto args = std::make_shared<lock_args>();
  auto* sub = app.add_subcommand("lock", "Run a command while holding one lock or several:\npaxtor "
                                         "lock [OPTIONS] KEY [KEY..] -- COMMAND [ARGS..]");
  sub
    ->add_option("KEY", args->keys,
                 "JSON, or text that is taken as a JSON string; several are locked at once")
    ->required()
    ->expected(1, 64);
  sub->add_option("--timeout", args->timeout, "give up waiting after this time (status 75)")
    ->type_name("TIME");
  sub->add_flag("--try", args->try_once,
                "do not wait: status 77 if somebody holds or waits for it");
  sub->add_flag(
    "--strict", args->strict,
    "never lose the lock to silence: after a crash of this machine only proof of its end frees it");
  args->given.add_to(*sub, stay::owner);
  // It prints no data of its own.
  sub->remove_option(sub->get_option("--json"));
  sub->footer(
    R"(Waits its turn, first come first served, runs COMMAND in a process group of its own with
PAXTOR_KEY (JSON) and PAXTOR_TOKEN (a number that grows with every owner: store it with what
you write, refuse smaller ones), and exits with its status. The lock is released when
everything that COMMAND started has ended, background processes included. If this node
loses the cluster, all of it is killed before anybody else can get the lock: status 76.

Example:
  paxtor lock stock/42 --timeout 30s -- sh -c './deploy --fence $PAXTOR_TOKEN')");
  sub->callback([args, &line] { line.chosen = [args, &line] { return run_lock(*args, line); }; });
}

} // namespace paxtor::tools
