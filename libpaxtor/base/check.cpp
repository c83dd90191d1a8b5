#include "libpaxtor/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace paxtor {

namespace {

void print_and_abort(std::string_view invariant, std::string_view expression, std::string_view file,
                     int line) {
  std::fprintf(stderr, "paxtor: broken invariant %.*s: %.*s (%.*s:%d); stopping this process\n",
               static_cast<int>(invariant.size()), invariant.data(),
               static_cast<int>(expression.size()), expression.data(),
               static_cast<int>(file.size()), file.data(), line);
  std::abort();
}

// The one global of the pure floors: it holds no protocol state and is set once, before threads.
check_handler current_handler = print_and_abort;

} // namespace

check_handler set_check_handler(check_handler handler) noexcept {
  auto previous = current_handler;
  current_handler = handler != nullptr ? handler : print_and_abort;
  return previous;
}

void check_failed(std::string_view invariant, std::string_view expression, std::string_view file,
                  int line) {
  current_handler(invariant, expression, file, line);
  std::abort();
}

} // namespace paxtor
