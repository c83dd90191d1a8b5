#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "libpaxtor/base/random.hpp"
#include "libpaxtor/cluster/agent.hpp"
#include "test/sim/actor_model.hpp"
#include "test/sim/scene.hpp"

namespace paxtor::sim {

class process;

/// A node in its process: the session agent, the watchdog and the model actors.
class node_side {
public:
  node_side(scene& all, process& home, generator random);

  void start();
  void receive(const cluster::voter_frame& what);
  void receive(process_number from, const letter& what) { actors_->receive(from, what); }
  void link(voter_id voter, bool up);
  void voters_are(std::vector<voter_id> voters);
  void leave();
  /// An operator here wants the node of this name empty of singletons, or not any more.
  void drain(const std::string& name, bool on, duration patience);

  /// The process dies at this instant.
  void process_ended();

  /// Calls the agent, then carries out what it wants done.
  template <class F>
  auto use(F&& f) {
    if constexpr (std::is_void_v<decltype(f(*agent_, now()))>) {
      f(*agent_, now());
      drain();
    } else {
      auto result = f(*agent_, now());
      drain();
      return result;
    }
  }

  /// Like use() for requests: the request is known before its completion can come.
  template <class F>
  cluster::request_id request(const std::string& what, F&& f) {
    auto id = f(*agent_, now());
    asked(id, what);
    drain();
    return id;
  }

  [[nodiscard]] node_id id() const { return id_; }
  /// F4: what a certificate of this life's end must show.
  [[nodiscard]] const std::string& secret() const { return secret_; }
  [[nodiscard]] session_id session() const { return agent_->session(); }
  [[nodiscard]] bool leaving() const { return leaving_; }
  [[nodiscard]] bool left() const { return left_; }
  /// It left while all was calm, and no actor of it lives any more.
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] actor_model& actors() { return *actors_; }
  [[nodiscard]] time_point now() const;

private:
  void asked(cluster::request_id id, const std::string& what);
  void drain();
  void send(cluster::to_voter what);
  void handle(const cluster::notice& what);
  void watch();
  void wake();

  scene& all_;
  process& home_;
  generator random_;
  node_id id_;
  std::string secret_;
  std::unique_ptr<cluster::agent> agent_;
  std::unique_ptr<actor_model> actors_;
  bool leaving_ = false;
  bool left_ = false;
  bool ended_ = false;
  time_point watched_{};
  moment wake_at_ = moment::max();
};

} // namespace paxtor::sim
