#include "actors/guardian_keeper.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <netdb.h>
#include <openssl/rand.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actors/quiet_thread.hpp"
#include "libpaxtor/base/digest.hpp"
#include "net/guardian/ward.hpp"

namespace paxtor::actors {

namespace {

constexpr std::size_t secret_bytes = 32;
/// Between the starts of guardians that end too soon.
constexpr std::chrono::milliseconds restart_min{100};
constexpr std::chrono::milliseconds restart_max{10'000};
/// A guardian that has lived this long was no failure to start.
constexpr std::chrono::seconds lived{30};
/// Host names of voters that cannot be reached are looked up again, at most this often.
constexpr std::chrono::seconds resolve_every{5};

/// The address in numbers; empty: the resolver does not know it now.
std::string numbers_of(const net::endpoint& what, int flags) {
  addrinfo hints{};
  hints.ai_flags = flags;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (::getaddrinfo(what.host.c_str(), nullptr, &hints, &list) != 0)
    return {};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> found{list, ::freeaddrinfo};
  char text[NI_MAXHOST];
  if (::getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof(text), nullptr, 0,
                    NI_NUMERICHOST)
      != 0)
    return {};
  return text;
}

std::string absolute(const std::string& file) {
  std::error_code ignored;
  return file.empty() ? file : std::filesystem::absolute(file, ignored).string();
}

} // namespace

std::string make_secret() {
  std::string bytes(secret_bytes, '\0');
  auto* data = reinterpret_cast<unsigned char*>(bytes.data());
  return RAND_bytes(data, static_cast<int>(bytes.size())) == 1 ? bytes : std::string{};
}

std::unique_ptr<guardian_keeper> guardian_keeper::make(guardian_setup setup, std::string& why) {
  if (!guardian_possible(why))
    return nullptr;
  setup.program = find_guardian(setup.program, why);
  if (setup.program.empty())
    return nullptr;
  auto result = std::make_unique<guardian_keeper>(std::move(setup));
  if (result->bell_ < 0 || result->secret_.empty()) {
    why = "no secret or descriptor can be made";
    return nullptr;
  }
  return result;
}

guardian_keeper::guardian_keeper(guardian_setup setup)
    : setup_(std::move(setup)),
      log_(setup_.node_name),
      bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  // The guardian goes to another directory.
  for (auto* file : {&setup_.tls.certificate, &setup_.tls.key, &setup_.tls.ca})
    *file = absolute(*file);
  secret_ = make_secret();
  given_ = setup_.voters;
}

guardian_keeper::~guardian_keeper() {
  stop(false);
  ::close(bell_);
}

std::string guardian_keeper::seal() const {
  return sha256(secret_);
}

void guardian_keeper::wake() const {
  std::uint64_t one = 1;
  [[maybe_unused]] auto written = ::write(bell_, &one, sizeof(one));
}

void guardian_keeper::start(node_id self) {
  self_ = self;
  thread_ = quiet_thread([this] { run(); });
}

void guardian_keeper::voters_are(std::vector<plan::voter> voters) {
  {
    std::lock_guard guard{mutex_};
    given_ = std::move(voters);
  }
  wake();
}

void guardian_keeper::take_voters() {
  {
    std::lock_guard guard{mutex_};
    voters_ = given_;
  }
  has_names_ = std::any_of(voters_.begin(), voters_.end(), [](const auto& one) {
    return numbers_of(one.address, AI_NUMERICHOST).empty();
  });
}

void guardian_keeper::stop(bool closed) {
  {
    std::lock_guard guard{mutex_};
    if (std::exchange(stopping_, true))
      return;
    closed_ = closed;
  }
  wake();
  if (thread_.joinable())
    thread_.join();
}

nlohmann::json guardian_keeper::status() const {
  std::lock_guard guard{mutex_};
  return {{"on", !stopping_},
          {"pid", pid_ > 0 ? nlohmann::json(pid_) : nlohmann::json(nullptr)},
          {"started", starts_},
          {"linked", last_.linked},
          {"voters", given_.size()}};
}

void guardian_keeper::run() {
  ::pthread_setname_np(::pthread_self(), "px.guardian");
  for (bool rung = true;;) {
    {
      std::lock_guard guard{mutex_};
      if (stopping_)
        break;
    }
    if (rung) {
      take_voters();
      if (child_)
        tell_again();
    }
    auto patience = -1;
    if (!child_ && clock::now() >= next_try_)
      start_one();
    if (!child_) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_try_ - clock::now());
      patience = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
    }
    pollfd ready[2] = {{bell_, POLLIN, 0}, {child_ ? child_->socket() : -1, POLLIN, 0}};
    ::poll(ready, 2, patience);
    std::uint64_t rings = 0;
    rung = ready[0].revents != 0 && ::read(bell_, &rings, sizeof(rings)) == sizeof(rings);
    if (ready[1].revents != 0)
      hear();
  }
  // I43: it is asked to go only if nobody could need what it would say.
  if (child_ && closed_) {
    child_->send(std::string{guardian::bye}, {});
    child_->end();
  }
  child_.reset();
}

std::vector<guardian::voter_address> guardian_keeper::resolve() const {
  std::vector<guardian::voter_address> result;
  for (const auto& one : voters_)
    if (auto host = numbers_of(one.address, 0); !host.empty())
      result.push_back({one.name, std::move(host), one.address.port});
  return result;
}

void guardian_keeper::start_one() {
  std::string why;
  child_ = guardian_child::start(setup_.program, why);
  started_at_ = clock::now();
  if (child_) {
    told_ = resolve();
    resolved_at_ = started_at_;
    // Made here and inherited: no number that another process could get meanwhile.
    const auto own = guardian::open_pidfd(::getpid());
    std::vector<int> descriptors{own};
    descriptors.insert(descriptors.end(), setup_.awaits.begin(), setup_.awaits.end());
    const auto sent =
      own >= 0
      && child_->send(guardian::encode({setup_.node_name, self_, secret_, told_, setup_.tls}),
                      descriptors);
    ::close(own);
    if (sent) {
      std::lock_guard guard{mutex_};
      pid_ = child_->pid();
      ++starts_;
      log_.info("guardian started", {{"pid", pid_}});
      return;
    }
    why = "it ended at once: " + child_->end();
    child_.reset();
  }
  if (why != std::exchange(last_problem_, why))
    log_.warn("there is no guardian now, and a crash would free what this node holds only after "
              "the ttl",
              {{"why", why}});
  backoff_ = std::clamp(backoff_ * 2, restart_min, restart_max);
  next_try_ = clock::now() + backoff_;
}

void guardian_keeper::hear() {
  std::string packet;
  if (!child_->receive(packet))
    return lost();
  guardian::report news;
  if (packet.empty() || !guardian::decode(packet, news))
    return;
  if (!news.line.empty() && news.warn)
    log_.warn("the guardian says", {{"line", news.line}});
  else if (!news.line.empty())
    log_.info("the guardian says", {{"line", news.line}});
  const auto lacking = news.linked < voters_.size();
  {
    std::lock_guard guard{mutex_};
    last_ = std::move(news);
  }
  if (lacking)
    resolve_again();
}

void guardian_keeper::lost() {
  const auto how = child_->end();
  child_.reset();
  {
    std::lock_guard guard{mutex_};
    pid_ = -1;
    last_ = {};
  }
  backoff_ = clock::now() - started_at_ > lived
               ? restart_min
               : std::clamp(backoff_ * 2, restart_min, restart_max);
  next_try_ = clock::now() + backoff_;
  log_.warn("the guardian has ended before its node; another one is started",
            {{"how", how}, {"in_ms", backoff_.count()}});
}

void guardian_keeper::resolve_again() {
  // Addresses in numbers stay what they are.
  if (!has_names_ || clock::now() - resolved_at_ < resolve_every)
    return;
  tell_again();
}

void guardian_keeper::tell_again() {
  resolved_at_ = clock::now();
  auto found = resolve();
  if (found == told_)
    return;
  told_ = std::move(found);
  child_->send(guardian::encode({setup_.node_name, self_, secret_, told_, setup_.tls}), {});
}

} // namespace paxtor::actors
