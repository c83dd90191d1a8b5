#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "libpaxtor/base/ids.hpp"
#include "libpaxtor/base/random.hpp"
#include "libpaxtor/base/term.hpp"
#include "test/sim/event_queue.hpp"
#include "test/sim/mail_checker.hpp"
#include "test/sim/network.hpp"

namespace paxtor::sim {

/// What nodes send each other about a singleton.
struct letter {
  enum class kind : std::uint8_t {
    fetch,      ///< give me its handle
    given,      ///< here it is
    not_given,  ///< it does not run here, or moves
    message,    ///< for the singleton
    let_go,     ///< send it nothing more
    let_gone,   ///< nothing more of this node is under way
    link_ended, ///< all before has arrived, and nothing more comes over this link
  } what = kind::fetch;
  term name;
  token grant;
  std::uint64_t message = 0;
};

/// The links between nodes that users' messages take: in order, and lost only with the link, whose
/// end both sides hear of behind what has arrived. They end where the network is cut, and with
/// their processes; the next letter makes a new one.
class mail {
public:
  /// Something has arrived: the process takes it when it runs. Returns false if nobody is there.
  using arrival = std::function<bool(process_number to, process_number from)>;

  mail(event_queue& events, const network& net, const knobs& how, mail_checker& letters)
      : events_(events), net_(net), how_(how), letters_(letters) {}

  void attach(generator random, arrival arrives) {
    random_ = random;
    arrives_ = std::move(arrives);
  }

  /// The number of the link that the next letter takes.
  [[nodiscard]] std::uint64_t link(process_number from, process_number to) {
    return all_[{from, to}].link;
  }

  /// `only_link`: nothing is sent by another one.
  void send(process_number from, process_number to, letter what,
            std::optional<std::uint64_t> only_link = {});

  /// The oldest that has arrived at `to` from `from`.
  [[nodiscard]] std::optional<letter> take(process_number to, process_number from);

  /// Every link of this process ends with it.
  void process_ended(process_number which);

private:
  struct direction {
    std::deque<letter> under_way;
    std::deque<letter> arrived;
    std::uint64_t link = 1;
    moment last{};
  };

  void arrive(process_number from, process_number to, std::uint64_t link);
  void end_link(process_number one, process_number other);
  void end_direction(process_number from, process_number to);
  void lose(std::deque<letter>& what);

  event_queue& events_;
  const network& net_;
  const knobs& how_;
  mail_checker& letters_;
  generator random_{0};
  arrival arrives_;
  std::map<std::pair<process_number, process_number>, direction> all_;
};

} // namespace paxtor::sim
