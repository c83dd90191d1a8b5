#include "actors/session_news.hpp"

#include <variant>

namespace paxtor::actors {

namespace {

struct teller {
  const logger& log;

  void operator()(const registry::session_opened&) const {}
  void operator()(const registry::reign_began&) const {}

  void operator()(const registry::session_closed& x) const {
    switch (x.reason) {
      case registry::end_reason::exited:
      case registry::end_reason::left:
        log.debug("a node has left", {{"of", x.name}, {"session", x.session.value}});
        return;
      case registry::end_reason::expired:
        return tell("a session has expired: its node was silent for longer than its lease", x);
      case registry::end_reason::process_died:
        return tell("a node's process has ended, as its guardian certifies", x);
      case registry::end_reason::store_reopened:
        return tell("a node's process has ended: another holds its data directory", x);
      case registry::end_reason::forced:
        return tell("a session was released by force", x);
    }
  }

  void operator()(const registry::end_certified& x) const {
    if (!x.problem.empty())
      log.warn("a certificate was refused", {{"why", x.problem}, {"detail", x.what.detail}});
  }

  void tell(const char* what, const registry::session_closed& x) const {
    log.warn(what, {{"of", x.name},
                    {"session", x.session.value},
                    {"detail", x.detail.empty() ? std::string{"-"} : x.detail},
                    {"locks_freed", x.locks_freed},
                    {"waits_granted", x.waits_granted},
                    {"singletons_moved", x.singletons_moved},
                    {"entries_erased", x.entries_erased}});
  }
};

} // namespace

void ends_teller::lead(ballot at) {
  leads_ = at;
  telling_ = false;
}

void ends_teller::tell(const std::vector<registry::session_event>& events) {
  for (const auto& event : events) {
    if (const auto* reign = std::get_if<registry::reign_began>(&event))
      telling_ = leads_.valid() && reign->at == leads_;
    if (telling_)
      std::visit(teller{log_}, event);
  }
}

} // namespace paxtor::actors
