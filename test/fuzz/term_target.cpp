// Terms as operators type them and as programs send them: a term is canonical, bounded, and parses
// as itself.

#include "libpaxtor/base/term.hpp"
#include "test/fuzz/fuzz.hpp"

namespace paxtor::fuzz {

namespace {

void check(const term& what) {
  ++fuzz::taken;
  fuzz::require(what.text().size() <= max_term_bytes, "a term is bounded");
  term again;
  std::string why;
  fuzz::require(term::parse(what.text(), again, why), "a term's text is a term");
  fuzz::require(again == what, "a term parses as itself");
  fuzz::require(term::from_json(what.to_json(), again, why) && again == what,
                "a term's value is that term");
}

void refused(const std::string& why) {
  fuzz::require(!why.empty() && why.find('\n') == std::string::npos,
                "what is refused is refused with one line");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  for (auto* parse : {&term::parse, &term::from_user}) {
    term what;
    std::string why;
    if (parse(text, what, why))
      check(what);
    else
      refused(why);
  }
  return 0;
}

} // namespace paxtor::fuzz
