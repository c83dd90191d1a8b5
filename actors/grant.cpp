#include <paxtor/grant.hpp>

#include <utility>

#include "actors/lease_view.hpp"

namespace paxtor {

grant::grant(std::uint64_t token, std::vector<std::string> keys,
             std::shared_ptr<const detail::lease_view> lease, std::uint64_t session, bool strict)
    : token_(token),
      keys_(std::move(keys)),
      lease_(std::move(lease)),
      session_(session),
      strict_(strict) {}

bool grant::valid() const {
  if (!lease_)
    return false;
  return strict_ ? lease_->strict_valid() : lease_->valid(session_);
}

std::chrono::nanoseconds grant::time_left() const {
  if (!valid())
    return std::chrono::nanoseconds::zero();
  return strict_ ? std::chrono::nanoseconds::max()
                 : std::chrono::nanoseconds{lease_->left_ns(session_)};
}

} // namespace paxtor
