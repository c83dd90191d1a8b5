#pragma once

#include <optional>
#include <utility>

#include "test/sim/finding.hpp"

namespace paxtor::sim {

/// Keeps the first finding of a run; the run stops there, since everything after it follows from
/// it.
class court {
public:
  void hear(verdict what) {
    if (what && !first_)
      first_ = std::move(what);
  }

  [[nodiscard]] bool closed() const { return first_.has_value(); }
  [[nodiscard]] const verdict& first() const { return first_; }

private:
  verdict first_;
};

} // namespace paxtor::sim
