#include "test/sim/run_options.hpp"

#include "test/sim/knobs.hpp"

namespace paxtor::sim {

std::string changes::text() const {
  std::string out;
  for (const auto& [name, value] : set)
    out += (out.empty() ? " --set " : ",") + name + "=" + value;
  if (!without_faults.empty())
    out += " --without-faults " + without_faults.text();
  if (!without_actors.empty())
    out += " --without-actors " + without_actors.text();
  return out;
}

std::string run_options::replay() const {
  return "--replay " + std::to_string(seed) + " --steps " + std::to_string(steps) + differs.text();
}

generator generator_of(std::uint64_t seed) {
  return generator{seed * 0x9e3779b97f4a7c15ULL + 1};
}

std::string knobs_of(const run_options& options, knobs& out) {
  out = knobs::draw(generator_of(options.seed).fork());
  for (const auto& [name, value] : options.differs.set)
    if (!out.set(name, value))
      return "no knob takes " + name + "=" + value + "; a trace begins with all of them";
  return out.problem();
}

} // namespace paxtor::sim
