#include "libpaxtor/cluster/lease_options.hpp"

namespace paxtor::cluster {

namespace {

std::string millis(duration x) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(x).count()) + " ms";
}

} // namespace

bool validate(const lease_options& leases, const paxos::timing& times, std::string& why) {
  if (leases.ttl < min_ttl || leases.ttl > max_ttl) {
    why = "ttl is " + millis(leases.ttl) + "; it must lie between " + millis(min_ttl) + " and "
          + millis(max_ttl) + ": set the cluster's ttl within that range";
    return false;
  }
  if (leases.rho_permille > 200) {
    why = "rho is " + std::to_string(leases.rho_permille)
          + " per mille; clocks may differ by at most 200: set a smaller one";
    return false;
  }
  if (leases.tick <= duration{0} || leases.tick > leases.ttl / 6) {
    why = "tick is " + millis(leases.tick) + "; it must be above 0 and at most ttl/6 = "
          + millis(leases.ttl / 6) + ": set a shorter tick";
    return false;
  }
  if (times.tick <= duration{0} || times.heartbeat < times.tick
      || times.election_min < times.heartbeat * 2 || times.election_max <= times.election_min) {
    why = "the log's times must satisfy 0 < tick <= heartbeat <= election_min / 2 and election_min "
          "< election_max: use the defaults for the ttl";
    return false;
  }
  // Sessions: a leader's death must fence nobody.
  auto have = leases.ttl - leases.renew_every() - leases.margin();
  auto need = 2 * times.election_max + 4 * times.heartbeat;
  if (have < need) {
    why = "ttl - ttl/6 - margin is " + millis(have)
          + " but 2 x longest election timeout + 4 x heartbeat is " + millis(need)
          + ", so a leader's death would stop owners: set a longer ttl or shorter elections";
    return false;
  }
  return true;
}

paxos::timing timing_for(duration ttl) {
  paxos::timing result;
  lease_options leases;
  leases.ttl = std::clamp(ttl, min_ttl, max_ttl);
  auto have = leases.ttl - leases.renew_every() - leases.margin();
  auto need = 2 * result.election_max + 4 * result.heartbeat;
  if (have >= need)
    return result;
  auto scaled = [&](duration x) { return duration{x.count() * have.count() / need.count()}; };
  result.tick = scaled(result.tick);
  result.heartbeat = scaled(result.heartbeat);
  result.election_min = scaled(result.election_min);
  result.election_max = scaled(result.election_max);
  return result;
}

} // namespace paxtor::cluster
