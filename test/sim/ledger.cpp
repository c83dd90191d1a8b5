#include "test/sim/ledger.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>

#include <nlohmann/json.hpp>

#include "test/sim/report.hpp"

namespace paxtor::sim {

ledger::ledger(const campaign_options& options)
    : options_(options), begin_(wall_clock::now()), told_(begin_) {}

double ledger::seconds() const {
  return std::chrono::duration<double>(wall_clock::now() - begin_).count();
}

void ledger::take(const stats& counts, int code, const std::string& text) {
  add(all_, counts);
  if (code != 0) {
    ++findings_;
    // What was looked for counts, else the gravest.
    if (code == options_.expect || code_ == 0)
      code_ = code;
    else if (code_ != options_.expect)
      code_ = std::min(code_, code);
    (options_.json ? std::cout : std::cerr) << text << std::flush;
  }
  if (options_.progress_every != 0
      && wall_clock::now() - told_ > std::chrono::seconds{options_.progress_every})
    tell_progress();
}

void ledger::tell_progress() {
  told_ = wall_clock::now();
  auto of =
    options_.seeds.is_endless() ? std::string{} : " of " + std::to_string(options_.seeds.size());
  std::fprintf(stderr, "%llu%s seeds, %llu steps, %s, %zu findings, %.0f s\n",
               static_cast<unsigned long long>(all_.runs), of.c_str(),
               static_cast<unsigned long long>(all_.steps), simulated(all_).c_str(), findings_,
               seconds());
}

int ledger::close() {
  if (options_.json)
    std::cout << nlohmann::json{{"summary", to_json(all_)},
                                {"findings", findings_},
                                {"simulated_years", simulated_years(all_)},
                                {"seconds", seconds()}}
                   .dump()
              << "\n";
  else
    std::cout << summary(all_, findings_, seconds());
  std::cout << std::flush;
  return code_;
}

} // namespace paxtor::sim
