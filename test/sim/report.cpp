#include "test/sim/report.hpp"

#include <cstdio>

namespace paxtor::sim {

std::string explain(const run_result& what, const std::string& program) {
  if (!what.found)
    return {};
  auto seconds = static_cast<double>(what.counts.simulated_us) / 1e6;
  char when[64];
  std::snprintf(when, sizeof when, "%.6f s", seconds);
  auto out = std::string{to_string(what.found->kind)} + ": " + what.found->rule + ": "
             + what.found->what + "\n";
  out += "  seed " + std::to_string(what.seed) + ", step " + std::to_string(what.counts.steps)
         + ", after " + when + " of simulated time\n";
  out += "  knobs: " + what.knobs + "\n";
  out += "  the last " + std::to_string(what.tail.size()) + " lines of the story:\n";
  for (const auto& line : what.tail)
    out += "    " + line + "\n";
  out += "  replay: " + program + " " + what.replay + "\n";
  return out;
}

nlohmann::json to_json(const stats& what) {
  nlohmann::json out;
  stats::each(what, [&out](const char* name, std::uint64_t number) { out[name] = number; });
  return out;
}

nlohmann::json to_json(const run_result& what) {
  char hex[20];
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(what.digest));
  nlohmann::json out{{"seed", what.seed},
                     {"steps", what.steps},
                     {"digest", hex},
                     {"counts", to_json(what.counts)},
                     {"knobs", what.knobs}};
  if (what.found)
    out["finding"] = {{"kind", to_string(what.found->kind)},
                      {"rule", what.found->rule},
                      {"what", what.found->what},
                      {"story", what.tail}};
  return out;
}

bool from_json(const nlohmann::json& text, stats& out) {
  if (!text.is_object())
    return false;
  stats::each(out, [&text](const char* name, std::uint64_t& number) {
    number = text.value(name, std::uint64_t{0});
  });
  return true;
}

void add(stats& to, const stats& what) {
  auto more = to_json(what);
  stats::each(to, [&more](const char* name, std::uint64_t& number) {
    number += more[name].get<std::uint64_t>();
  });
}

double simulated_years(const stats& all) {
  return static_cast<double>(all.simulated_us) / (365.25 * 86'400 * 1e6);
}

std::string simulated(const stats& all) {
  char text[64];
  std::snprintf(text, sizeof text, "%.4g simulated years", simulated_years(all));
  return text;
}

std::string summary(const stats& all, std::size_t findings, double seconds) {
  auto n = [](std::uint64_t x) { return std::to_string(x); };
  char speed[96];
  std::snprintf(speed, sizeof speed, "%.1f s, %.1f seeds/s, %.0f steps/s", seconds,
                static_cast<double>(all.runs) / seconds, static_cast<double>(all.steps) / seconds);
  std::string out = n(all.runs) + " seeds, " + n(all.steps) + " steps, "
                    + n(all.simulated_us / 1'000'000) + " s of simulated time (" + simulated(all)
                    + "), " + n(findings) + " findings\n";
  out += "faults: " + n(all.cuts) + " cuts, " + n(all.crashes) + " crashes, " + n(all.pauses)
         + " pauses, " + n(all.leaves) + " leaves, " + n(all.flaps)
         + " leaders hit again and again, " + n(all.blackouts) + " blackouts, " + n(all.forgeries)
         + " forged certificates, " + n(all.disk_errors) + " disks full or failing, "
         + n(all.disks_lost) + " lost, " + n(all.watchdog_deaths) + " ended by their watchdog, "
         + n(all.fences) + " fences, " + n(all.messages_lost) + " of " + n(all.messages)
         + " messages lost\n";
  out += "operators: " + n(all.changes) + " changes of the voters, " + n(all.drains) + " drains\n";
  out += "checked: " + n(all.grants) + " grants (" + n(all.overlaps_exempted)
         + " overlaps of a frozen owner), " + n(all.requests) + " requests, " + n(all.slots_chosen)
         + " slots, " + n(all.images_compared) + " registry images, " + n(all.durability_checked)
         + " values held, " + n(all.puts_checked) + " values, " + n(all.entries_judged)
         + " entries (" + n(all.deadlocks) + " deadlocks refused), " + n(all.answers_checked)
         + " answers to questions, " + n(all.messages_to_names) + " messages to names handled and "
         + n(all.refused_by_names) + " refused\n";
  return out + speed + "\n";
}

} // namespace paxtor::sim
