#include "test/actors/nodes.hpp"

#include <condition_variable>
#include <filesystem>
#include <mutex>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::keys)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(paxtor::lock_options)

namespace test {

std::vector<std::uint16_t> free_ports(std::size_t count) {
  std::vector<std::uint16_t> result;
  std::vector<int> open;
  for (std::size_t i = 0; i < count; ++i) {
    const auto fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(where);
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&where), size) == 0);
    REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&where), &size) == 0);
    result.push_back(ntohs(where.sin_port));
    open.push_back(fd);
  }
  for (auto fd : open)
    ::close(fd);
  return result;
}

paxtor::node_options nodes::options(std::size_t voter) const {
  paxtor::node_options result;
  result.ttl = ttl_;
  // One process cannot die in part; what a guardian needs of a process is tested with processes.
  result.guardian = false;
  result.name = std::string(1, static_cast<char>('a' + voter));
  result.listen = "127.0.0.1:" + std::to_string(ports_[voter]);
  for (std::size_t i = 0; i < ports_.size(); ++i)
    result.voters.push_back(std::string(1, static_cast<char>('a' + i))
                            + "=127.0.0.1:" + std::to_string(ports_[i]));
  if (const auto* level = std::getenv("PAXTOR_TEST_LOG"))
    result.log_level = level;
  else
    result.log_level = "error";
  return result;
}

paxtor::node_options nodes::client_options(const std::string& name, bool listens) const {
  auto result = options(0);
  result.name = name;
  result.listen = listens ? "127.0.0.1:0" : "";
  return result;
}

nodes::nodes(std::size_t voters, std::chrono::milliseconds ttl)
    : ports_(free_ports(voters)), ttl_(ttl) {
  for (std::size_t i = 0; i < voters; ++i)
    all_.push_back(std::make_unique<node>());
  std::vector<std::thread> joining;
  std::vector<caf::error> problems(voters);
  for (std::size_t i = 0; i < voters; ++i)
    joining.emplace_back([this, i, &problems] {
      auto door = paxtor::join(*all_[i]->sys, options(i));
      if (door)
        all_[i]->door = *door;
      else
        problems[i] = door.error();
    });
  for (auto& one : joining)
    one.join();
  for (const auto& problem : problems) {
    INFO(paxtor::describe(problem));
    REQUIRE(!problem);
  }
}

node& nodes::add(const std::string& name, bool hosts, bool listens) {
  return add(client_options(name, listens), hosts);
}

node& nodes::add(const paxtor::node_options& options, bool hosts) {
  all_.push_back(std::make_unique<node>(hosts));
  auto door = paxtor::join(*all_.back()->sys, options);
  INFO((door ? std::string{} : paxtor::describe(door.error())));
  REQUIRE(door);
  all_.back()->door = *door;
  return *all_.back();
}

nodes::~nodes() {
  std::vector<std::thread> leaving;
  for (auto& one : all_)
    leaving.emplace_back([&one] { one->door.leave(); });
  for (auto& one : leaving)
    one.join();
  // By the thread that made them: a CAF system waits for the logger that its maker's thread holds.
  all_.clear();
}

bool eventually(const std::function<bool()>& what) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!what()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

namespace {

template <class Predicate>
std::size_t count_in(const char* folder, Predicate counts) {
  std::size_t result = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator{folder, ignored})
    if (counts(entry))
      ++result;
  return result;
}

} // namespace

std::size_t threads() {
  return count_in("/proc/self/task", [](const auto&) { return true; });
}

std::size_t sockets() {
  return count_in("/proc/self/fd", [](const auto& entry) {
    std::error_code ignored;
    const auto target = std::filesystem::read_symlink(entry.path(), ignored).string();
    return target.starts_with("socket:") || target.starts_with("anon_inode:")
           || target.starts_with("pipe:");
  });
}

struct owner::state {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  outcome<paxtor::grant> result;

  void set(outcome<paxtor::grant> what) {
    std::lock_guard guard{mutex};
    result = std::move(what);
    done = true;
    changed.notify_all();
  }
};

owner::owner(node& on, const paxtor::keys& what, const paxtor::lock_options& options)
    : on_(on), state_(std::make_shared<state>()) {
  auto door = on.door;
  actor_ = on.sys->spawn([=, known = state_](caf::event_based_actor* self) -> caf::behavior {
    auto failed = [known](const caf::error& err) { known->set({{}, paxtor::code_of(err), err}); };
    door.lock(self, what, options)
      .then(
        [known](const paxtor::grant& held) {
          known->set({held, paxtor::errc::none, {}});
        },
        failed);
    return {
      [=](const paxtor::keys& more, const paxtor::lock_options& how) -> caf::result<paxtor::grant> {
        auto promise = self->make_response_promise<paxtor::grant>();
        door.lock(self, more, how)
          .then([=](const paxtor::grant& held) mutable { promise.deliver(held); },
                [=](caf::error& err) mutable { promise.deliver(std::move(err)); });
        return promise;
      },
    };
  });
  actor_->attach_functor([ended = ended_] { *ended = true; });
}

owner::~owner() {
  end();
}

const outcome<paxtor::grant>& owner::result() {
  std::unique_lock guard{state_->mutex};
  const auto answered = state_->changed.wait_for(guard, patience, [this] { return state_->done; });
  REQUIRE(answered);
  return state_->result;
}

bool owner::answered() const {
  std::lock_guard guard{state_->mutex};
  return state_->done;
}

void owner::end(caf::exit_reason why) {
  caf::anon_send_exit(actor_, why);
}

outcome<paxtor::grant> owner::lock(const paxtor::keys& what, const paxtor::lock_options& options) {
  caf::scoped_actor self{*on_.sys};
  return wait<paxtor::grant>(self->request(actor_, patience, what, options));
}

} // namespace test
