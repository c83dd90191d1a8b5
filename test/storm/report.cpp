#include "test/storm/report.hpp"

#include <cstdio>

namespace paxtor::storm {

namespace {

double ms(boot_time time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string share(std::size_t part, std::size_t all) {
  return all == 0 ? "none"
                  : fixed(100.0 * static_cast<double>(part) / static_cast<double>(all), 1)
                      + " % of " + std::to_string(all);
}

const char* name_of(exit_status status) {
  switch (status) {
    case clean:
      return "clean";
    case wrong:
      return "WRONG";
    case stuck:
      return "STUCK";
    case crashed:
      return "CRASHED";
  }
  return "";
}

} // namespace

exit_status report::status() const {
  if (!found.wrong.empty())
    return storm::wrong;
  if (!crashes.empty())
    return storm::crashed;
  return stuck.empty() ? storm::clean : storm::stuck;
}

std::string text_of(const report& all) {
  std::string result;
  const auto line = [&](const std::string& text) { result += text + "\n"; };
  for (const auto& each : all.found.wrong)
    line("wrong: " + each);
  for (const auto& each : all.crashes)
    line("crashed: " + each);
  for (const auto& each : all.stuck)
    line("stuck: " + each);
  const auto& found = all.found;
  const auto& windows = all.available;
  const auto number = [](auto n) { return std::to_string(n); };
  line("seed           " + number(all.seed) + ", " + all.machines);
  line("time           " + fixed(all.seconds, 0) + " s, " + number(all.rounds)
       + " rounds, longest until rest " + fixed(all.longest_calm, 1) + " s");
  std::string faults;
  int sum = 0;
  for (const auto& [name, count] : all.faults) {
    faults += (faults.empty() ? "" : ", ") + number(count) + " " + name;
    sum += count;
  }
  line("faults         " + number(sum) + ": " + faults);
  line("processes      " + number(all.starts) + " started; ended by the watchdog "
       + number(all.watchdog_ends) + ", by a full disk " + number(all.full_ends)
       + ", could not join in time " + number(all.joins_given_up));
  line("harness        at most " + fixed(ms(all.latest), 0) + " ms late with a fault");
  line("ownerships     " + number(found.ownerships) + " of locks (" + number(found.strict)
       + " strict), " + number(found.lives) + " lives of singletons, " + number(found.keys)
       + " keys, " + number(found.tokens) + " tokens; " + number(found.killed) + " were stopped, "
       + number(found.died) + " died with their process");
  line("after a thaw   " + number(found.after_thaw) + " frozen owners were overtaken, and "
       + number(found.after_stall) + " that got no CPU; the longest lasted "
       + fixed(ms(found.ran_on), 1) + " ms more");
  line("entries        " + number(found.entries) + " acknowledged; " + number(all.calls)
       + " calls of singletons answered; " + number(all.failed_requests)
       + " requests refused or unknown");
  line("availability   seconds with a grant: " + share(windows.granted, windows.windows)
       + "; with a majority that had settled: " + share(windows.should_granted, windows.should));
  line("longest wait   " + fixed(ms(windows.longest_wait) / 1000, 1)
       + " s for a lock; longest time without any grant " + fixed(ms(windows.longest_gap) / 1000, 1)
       + " s");
  if (!all.kept.empty())
    line("records        " + all.kept + " (paxtor-storm check " + all.kept + ")");
  line(std::string{"paxtor-storm: "} + name_of(all.status()));
  return result;
}

nlohmann::json json_of(const report& all) {
  const auto& found = all.found;
  const auto& windows = all.available;
  return {
    {"status", all.status()},
    {"result", name_of(all.status())},
    {"seed", all.seed},
    {"machines", all.machines},
    {"seconds", all.seconds},
    {"rounds", all.rounds},
    {"longest_calm_s", all.longest_calm},
    {"faults", all.faults},
    {"processes",
     {{"started", all.starts},
      {"watchdog_ends", all.watchdog_ends},
      {"full_disk_ends", all.full_ends},
      {"joins_given_up", all.joins_given_up}}},
    {"ownerships",
     {{"locks", found.ownerships},
      {"strict", found.strict},
      {"singleton_lives", found.lives},
      {"keys", found.keys},
      {"tokens", found.tokens},
      {"stopped", found.killed},
      {"died_with_process", found.died},
      {"overtaken_while_stopped", found.after_thaw},
      {"overtaken_while_stalled", found.after_stall},
      {"longest_run_on_ms", ms(found.ran_on)}}},
    {"entries", found.entries},
    {"calls", all.calls},
    {"failed_requests", all.failed_requests},
    {"relayed_bytes", all.relayed_bytes},
    {"latest_ms", ms(all.latest)},
    {"availability",
     {{"windows", windows.windows},
      {"granted", windows.granted},
      {"with_majority", windows.should},
      {"with_majority_granted", windows.should_granted},
      {"longest_gap_ms", ms(windows.longest_gap)},
      {"longest_wait_ms", ms(windows.longest_wait)}}},
    {"wrong", found.wrong},
    {"crashes", all.crashes},
    {"stuck", all.stuck},
    {"records", all.kept},
  };
}

} // namespace paxtor::storm
