#include "net/guardian_desk.hpp"

#include <cerrno>
#include <deque>
#include <utility>

#include <caf/actor_control_block.hpp>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/guardian/link.hpp"
#include "net/tls.hpp"

namespace paxtor::net {

namespace {

void ring(int bell) {
  std::uint64_t one = 1;
  [[maybe_unused]] auto written = ::write(bell, &one, sizeof(one));
}

/// I42. Empty: it is a certificate of this guardian's.
const char* problem_with(const cluster::frame& what, node_id guardian) {
  const auto* from = std::get_if<cluster::node_frame>(&what);
  if (from == nullptr)
    return "it sent a frame that is not for guardians";
  const auto* asks = std::get_if<cluster::certify>(&from->what);
  if (asks == nullptr || asks->proof.proof != registry::end_reason::process_died)
    return "it asked for what guardians may not";
  if (from->from != guardian || from->relayed_by.valid())
    return "it spoke for somebody else";
  return "";
}

} // namespace

/// One guardian's link. The socket is the desk's thread's alone; the answers are anybody's.
class guardian_desk::seat final : public guest {
public:
  seat(channel from, node_id id, std::shared_ptr<channel> bell)
      : socket(std::move(from)), guardian(id), bell_(std::move(bell)) {}

  bool take(const std::string& frame) override {
    {
      std::lock_guard guard{mutex_};
      if (answers_.size() >= max_answers_waiting)
        return false;
      answers_.push_back(guardian::framed(frame));
    }
    ring(bell_->fd());
    return true;
  }

  /// False: there is nothing to write.
  bool refill() {
    if (!unsent.empty())
      return true;
    std::lock_guard guard{mutex_};
    if (answers_.empty())
      return false;
    unsent = std::move(answers_.front());
    answers_.pop_front();
    return true;
  }

  channel socket;
  node_id guardian;
  guardian::frame_reader heard;
  std::string unsent;
  bool open = true;
  bool fresh = true;

private:
  std::shared_ptr<channel> bell_;
  std::mutex mutex_;
  std::deque<std::string> answers_;
};

guardian_desk::guardian_desk(std::shared_ptr<peers> book, std::string node_name)
    : book_(std::move(book)),
      node_name_(std::move(node_name)),
      bell_(std::make_shared<channel>(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))) {}

guardian_desk::~guardian_desk() {
  stop();
}

void guardian_desk::wake() const {
  ring(bell_->fd());
}

void guardian_desk::adopt(channel socket, node_id guardian) {
  {
    std::lock_guard guard{mutex_};
    // What is turned away is closed here; its guardian tries again, later.
    if (stopping_ || dismissed_ || linked_ >= max_guardians)
      return;
    ++linked_;
    new_.push_back(std::make_shared<seat>(std::move(socket), guardian, bell_));
    if (!thread_.joinable())
      thread_ = std::thread{[this] {
        ::pthread_setname_np(::pthread_self(), "paxtor.desk");
        block_sigpipe();
        run();
      }};
  }
  wake();
}

void guardian_desk::dismiss() {
  {
    std::lock_guard guard{mutex_};
    dismissed_ = true;
  }
  wake();
}

void guardian_desk::stop() {
  {
    std::lock_guard guard{mutex_};
    stopping_ = true;
  }
  wake();
  if (thread_.joinable())
    thread_.join();
}

void guardian_desk::run() {
  std::vector<pollfd> waits;
  while (!stopping_) {
    waits.assign(1, {bell_->fd(), POLLIN, 0});
    for (const auto& one : seats_)
      waits.push_back(
        {one->socket.fd(), static_cast<short>(one->unsent.empty() ? POLLIN : POLLIN | POLLOUT), 0});
    ::poll(waits.data(), waits.size(), -1);
    if (waits[0].revents != 0) {
      std::uint64_t rings = 0;
      [[maybe_unused]] auto got = ::read(bell_->fd(), &rings, sizeof(rings));
    }
    for (std::size_t i = 0; i < seats_.size(); ++i)
      serve(seats_[i], waits[i + 1].revents != 0);
    take_new();
    std::erase_if(seats_, [](const auto& one) { return !one->open; });
  }
  for (const auto& one : seats_)
    close(*one, "");
  seats_.clear();
}

void guardian_desk::take_new() {
  std::vector<std::shared_ptr<seat>> arrived;
  auto dismissed = false;
  {
    std::lock_guard guard{mutex_};
    arrived.swap(new_);
    dismissed = dismissed_;
  }
  for (auto& one : arrived) {
    book_->guest_came(one->guardian, one);
    seats_.push_back(one);
    // TLS may hold what it said behind its preamble: poll would not tell.
    serve(one, true);
  }
  if (dismissed)
    for (const auto& one : seats_)
      close(*one, "");
}

void guardian_desk::close(seat& one, const char* why) {
  if (!std::exchange(one.open, false))
    return;
  if (*why != '\0') {
    ++cut_;
    cuts_.log(level::warn, "a guardian was cut: " + std::string{why} + " node=" + node_name_);
  }
  --linked_;
  book_->guest_went(one.guardian, &one); // I44
  one.socket = channel{};
}

void guardian_desk::serve(const std::shared_ptr<seat>& one, bool readable) {
  auto* const tls = one->socket.tls.get();
  char buffer[4096];
  while (one->open && readable) {
    std::size_t got = 0;
    auto closed = false;
    if (tls != nullptr) {
      closed = tls_read(tls, buffer, sizeof(buffer), got) == tls_io::closed;
    } else {
      const auto n = ::recv(one->socket.fd(), buffer, sizeof(buffer), 0);
      closed = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
      got = n > 0 ? static_cast<std::size_t>(n) : 0;
    }
    if (closed)
      return close(*one, "");
    if (got == 0)
      break;
    one->heard.add({buffer, got});
    std::string frame;
    for (auto more = true; more && one->open;) {
      switch (one->heard.next(frame)) {
        case guardian::frame_reader::outcome::frame:
          forward(*one, frame);
          break;
        case guardian::frame_reader::outcome::none:
          more = false;
          break;
        case guardian::frame_reader::outcome::too_long:
          close(*one, "it sent a frame that is too long");
          break;
      }
    }
  }
  while (one->open && one->refill()) {
    std::size_t sent = 0;
    auto closed = false;
    if (tls != nullptr) {
      closed = tls_write(tls, one->unsent.data(), one->unsent.size(), sent) == tls_io::closed;
    } else {
      const auto n = ::send(one->socket.fd(), one->unsent.data(), one->unsent.size(), MSG_NOSIGNAL);
      closed = n < 0 && errno != EAGAIN && errno != EINTR;
      sent = n > 0 ? static_cast<std::size_t>(n) : 0;
    }
    if (closed)
      return close(*one, "");
    if (sent == 0)
      return;
    one->unsent.erase(0, sent);
  }
}

void guardian_desk::forward(seat& from, const std::string& bytes) {
  cluster::frame decoded;
  if (const auto problem = cluster::decode_frame(bytes, decoded);
      problem != cluster::frame_error::none)
    return close(from, "it sent what is no frame");
  if (const auto* why = problem_with(decoded, from.guardian); *why != '\0')
    return close(from, why);
  const auto self = book_->self();
  // Before the cluster is formed there is nothing to certify; the guardian sends it again.
  if (!self.boxes.proposer || !self.hello.cluster.valid())
    return;
  auto& frame = std::get<cluster::node_frame>(decoded);
  // A guardian does not know the cluster's id; it can only mean the one that it is linked with.
  frame.cluster = self.hello.cluster;
  self.boxes.proposer->enqueue(nullptr, caf::make_message_id(),
                               peers::wrap(cluster::encode_frame(frame)), nullptr);
}

} // namespace paxtor::net
