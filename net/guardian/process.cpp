#include "net/guardian/process.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libpaxtor/cluster/frame.hpp"
#include "net/guardian/orders.hpp"
#include "net/guardian/voter_link.hpp"
#include "net/guardian/ward.hpp"

namespace paxtor::guardian {

namespace {

std::uint64_t random_number() {
  std::random_device source;
  return (std::uint64_t{source()} << 32) | source();
}

class process {
public:
  explicit process(int socket) : orders_(socket), random_(random_number()) {
    id_ = random_.make_id<node_id>();
  }

  int run();

private:
  void wait(clock::time_point now);
  [[nodiscard]] int patience(clock::time_point now) const;
  void hear_voters();
  [[nodiscard]] std::size_t linked() const;
  [[nodiscard]] bool nobody_left(clock::time_point now) const;
  void take_orders();
  void take(std::string_view packet, const std::vector<int>& descriptors);
  void set_voters(const std::vector<voter_address>& voters);
  void look_at_awaited(std::size_t i);
  void ward_ended();
  [[nodiscard]] bool nothing_awaited() const;
  void certify(clock::time_point now);
  /// True if it says that nothing of the ward is left in the cluster.
  [[nodiscard]] bool settles(const std::string& bytes) const;
  void tell(std::string line, bool warn = false);
  void tell_links();

  int orders_;
  int ward_fd_ = -1;
  std::vector<int> awaited_; ///< -1: has said that it is over
  bool unproven_ = false;    ///< an awaited one closed without saying so
  ward_order ward_;
  bool known_ = false;
  tls_context tls_;
  generator random_;
  node_id id_;
  std::vector<voter_link> links_;
  std::size_t told_linked_ = 0;
  std::size_t asked_ = 0;

  bool done_ = false;
  std::optional<clock::time_point> ended_at_;
  std::string how_;
  std::string certificate_;
  std::chrono::milliseconds pause_{0};
  clock::time_point next_send_{};
};

int process::run() {
  while (!done_) {
    wait(clock::now());
    const auto now = clock::now();
    hear_voters();
    if (ended_at_ && (unproven_ || now >= *ended_at_ + give_up_after || nobody_left(now)))
      return 0;
    // I39
    if (ended_at_ && nothing_awaited())
      certify(now);
    else
      tell_links();
  }
  return 0;
}

void process::hear_voters() {
  for (auto& one : links_)
    while (auto frame = one.hear())
      done_ = done_ || (!certificate_.empty() && settles(*frame));
}

std::size_t process::linked() const {
  return static_cast<std::size_t>(
    std::count_if(links_.begin(), links_.end(), [](const auto& one) { return one.linked(); }));
}

bool process::nobody_left(clock::time_point now) const {
  return std::all_of(links_.begin(), links_.end(), [this, now](const auto& one) {
    const auto since = one.refused_since();
    return since && now - std::max(*since, *ended_at_) >= refused_for;
  });
}

int process::patience(clock::time_point now) const {
  std::optional<clock::time_point> first;
  const auto at_latest = [&first](clock::time_point at) {
    first = first ? std::min(*first, at) : at;
  };
  for (const auto& one : links_)
    if (auto due = one.due())
      at_latest(*due);
  if (ended_at_)
    at_latest(*ended_at_ + give_up_after);
  if (!certificate_.empty())
    at_latest(next_send_);
  if (!first)
    return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*first - now).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

void process::wait(clock::time_point now) {
  // Descriptors of -1 are passed over by poll.
  std::vector<pollfd> all{{orders_, POLLIN, 0}, {ended_at_ ? -1 : ward_fd_, POLLIN, 0}};
  for (const auto fd : awaited_)
    all.push_back({fd, POLLIN, 0});
  const auto first_link = all.size();
  for (const auto& one : links_)
    all.push_back(one.wants());
  if (::poll(all.data(), all.size(), patience(now)) < 0)
    return;
  now = clock::now();
  if (all[1].revents != 0)
    ward_ended();
  for (std::size_t i = 0; i < awaited_.size(); ++i)
    if (all[2 + i].revents != 0)
      look_at_awaited(i);
  // Links before orders, which may change how many there are.
  for (std::size_t i = 0; i < links_.size(); ++i)
    links_[i].look(now, all[first_link + i].revents != 0);
  if (all[0].revents != 0)
    take_orders();
}

void process::take_orders() {
  std::string packet(max_packet, '\0');
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * (max_awaited + 1))];
  iovec part{packet.data(), packet.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  const auto size = ::recvmsg(orders_, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (size <= 0) {
    // The node has let go of us, or has ended: its pidfd says which. Without one there is no ward.
    ::close(std::exchange(orders_, -1));
    done_ = !known_;
    return;
  }
  std::vector<int> descriptors;
  for (auto* one = CMSG_FIRSTHDR(&message); one != nullptr; one = CMSG_NXTHDR(&message, one)) {
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS)
      continue;
    descriptors.resize((one->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(descriptors.data(), CMSG_DATA(one), descriptors.size() * sizeof(int));
  }
  packet.resize(static_cast<std::size_t>(size));
  take(packet, descriptors);
}

void process::take(std::string_view packet, const std::vector<int>& descriptors) {
  if (packet == bye) {
    done_ = true;
    return;
  }
  ward_order order;
  if (!decode(packet, order) || (!known_ && descriptors.empty())) {
    done_ = !known_;
    return;
  }
  ward_ = std::move(order);
  if (!known_) {
    known_ = true;
    ward_fd_ = descriptors.front();
    awaited_.assign(descriptors.begin() + 1, descriptors.end());
    std::string why;
    if (!ward_.tls.empty() && !(tls_ = make_tls_context(ward_.tls, why))) {
      // Without links it can prove nothing; the node starts another one, later.
      tell(why, true);
      done_ = true;
      return;
    }
  }
  set_voters(ward_.voters);
  // All files are read: no file system is kept busy.
  if (::chdir("/") != 0)
    tell("cannot leave the working directory");
}

void process::set_voters(const std::vector<voter_address>& voters) {
  std::vector<voter_link> next;
  for (const auto& wanted : voters) {
    const auto same = std::find_if(links_.begin(), links_.end(),
                                   [&](const auto& one) { return one.where() == wanted; });
    if (same != links_.end())
      next.push_back(std::move(*same));
    else
      next.emplace_back(wanted, id_.value, tls_, random_.fork());
    if (ended_at_)
      next.back().hurry(clock::now());
  }
  links_.swap(next);
}

void process::look_at_awaited(std::size_t i) {
  char byte = 0;
  const auto got = ::read(awaited_[i], &byte, 1);
  if (got < 0)
    return;
  ::close(std::exchange(awaited_[i], -1));
  if (got == 1)
    return;
  unproven_ = true; // I39
  tell("what this node's end has to wait for is gone without a word: if the node dies, the ttl "
       "decides",
       true);
}

void process::ward_ended() {
  // I40: whatever is wrong with this process.
  ::alarm(5);
  ended_at_ = clock::now();
  how_ = how_it_ended(ward_fd_);
  for (auto& one : links_)
    one.hurry(*ended_at_);
}

bool process::nothing_awaited() const {
  return std::all_of(awaited_.begin(), awaited_.end(), [](int fd) { return fd < 0; });
}

void process::certify(clock::time_point now) {
  if (certificate_.empty()) {
    registry::certify_end proof;
    proof.node = ward_.node;
    proof.proof = registry::end_reason::process_died;
    proof.secret = ward_.secret;
    proof.detail = how_;
    certificate_ = cluster::encode_frame(
      cluster::node_frame{cluster_id{}, id_, voter_id{}, cluster::certify{std::move(proof)}});
  }
  const auto due = now >= next_send_;
  if (!due && linked() <= asked_)
    return;
  // Who does not lead passes it on, so any voter will do; all are asked, for any may be dead.
  for (auto& one : links_)
    one.say(certificate_);
  asked_ = linked();
  if (!due)
    return;
  pause_ = std::clamp(pause_ * 3 / 2, resend_min, resend_max);
  next_send_ = now + pause_;
}

bool process::settles(const std::string& bytes) const {
  cluster::frame decoded;
  if (cluster::decode_frame(bytes, decoded) != cluster::frame_error::none)
    return false;
  const auto* answer = std::get_if<cluster::voter_frame>(&decoded);
  if (answer == nullptr || answer->to != id_)
    return false;
  const auto* verdict = std::get_if<cluster::certified>(&answer->what);
  // Also if the cluster refuses it: it would again.
  return verdict != nullptr && verdict->node == ward_.node;
}

void process::tell(std::string line, bool warn) {
  const auto bytes = encode(report{linked(), links_.size(), std::move(line), warn});
  // A node that does not read has other worries; nothing here waits for it.
  if (orders_ >= 0)
    (void)::send(orders_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void process::tell_links() {
  auto news = linked() != told_linked_;
  told_linked_ = linked();
  for (auto& one : links_) {
    std::string why;
    // Each one is told, with or without a line: the node looks the voter's name up again.
    if (!one.take_failure(why))
      continue;
    tell(why.empty() ? why
                     : "no link with voter " + one.where().name + " (" + one.where().host + " port "
                         + std::to_string(one.where().port) + "): " + why);
    news = false;
  }
  if (news)
    tell({});
}

} // namespace

int run(int order_socket) {
  // Signals that end programs are the ward's: a service manager sends them to all processes of a
  // service, and the guardian's work begins when the ward has taken them.
  sigset_t all;
  sigfillset(&all);
  sigdelset(&all, SIGALRM);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  std::signal(SIGALRM, SIG_DFL);
  ::prctl(PR_SET_NAME, "paxtor-guardian");
  return process{order_socket}.run();
}

} // namespace paxtor::guardian
