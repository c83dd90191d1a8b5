// The registry, fed with entries that a log could hold: valid ones, malformed ones, late ones. Its
// invariants must hold after each, and its image must be read back as the same.

#include "libpaxtor/base/codec.hpp"
#include "libpaxtor/registry/machine.hpp"
#include "test/fuzz/making.hpp"

namespace paxtor::fuzz {

namespace {

/// Longer histories cost speed and find no more.
constexpr int max_steps = 64;

void check_image(const registry::machine& reg) {
  const auto image = reg.image();
  registry::machine copy;
  fuzz::require(copy.restore(image), "an image of ours can be read");
  fuzz::require(copy.image() == image, "an image read back is the same");
}

void look(const registry::machine& reg, fuzz::reader& in) {
  const session_id session{in.number()};
  (void)reg.sync(session, index{in.number()});
  const auto text = reg.ask(fuzz::make_query(in), {{session, registry::silence{}}});
  fuzz::require(nlohmann::json::accept(text), "an answer is JSON");
}

/// Any bytes as an image: read or refused. What was read holds the invariants.
void read_image(const std::string& bytes) {
  registry::machine reg;
  if (reg.restore(blob{bytes})) {
    ++fuzz::taken;
    reg.check_all();
    check_image(reg);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::reader in{data, size};
  registry::machine reg;
  std::uint64_t at = 0;
  for (int step = 0; step < max_steps && !in.done(); ++step) {
    registry::outcome out;
    switch (in.below(16)) {
      case 0:
        reg.begin_reign(index{++at}, fuzz::make_ballot(in), out);
        break;
      case 1:
        look(reg, in);
        break;
      case 2:
        read_image(std::string{in.rest()});
        break;
      case 3: {
        // An image of this very state with one byte changed.
        std::string image{reg.image().view()};
        const auto high = in.byte() * std::size_t{256};
        const auto where = high + in.byte();
        image[where % image.size()] = static_cast<char>(in.byte());
        read_image(image);
        break;
      }
      case 4: {
        registry::command what;
        if (decode(in.long_text(), what))
          reg.apply(index{++at}, what, out);
        break;
      }
      default:
        reg.apply(index{++at}, fuzz::make_command(in), out);
        break;
    }
    reg.check_all();
    fuzz::taken += out.answers.empty() ? 0 : 1;
  }
  check_image(reg);
  return 0;
}

} // namespace paxtor::fuzz
