#include "net/log.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

#include <spdlog/spdlog.h>

namespace paxtor::net {

void log(level how, std::string_view line) noexcept {
  try {
    auto logger = spdlog::get("paxtor");
    if (!logger)
      return;
    switch (how) {
      case level::debug:
        logger->debug("{}", line);
        break;
      case level::info:
        logger->info("{}", line);
        break;
      case level::warn:
        logger->warn("{}", line);
        break;
      case level::error:
        logger->error("{}", line);
        break;
    }
  } catch (...) {
    // A full disk under the log must not stop a node.
  }
}

void log_limiter::log(level how, std::string_view line) noexcept {
  ++count_;
  auto now = std::chrono::steady_clock::now();
  if (now < next_) {
    ++left_out_;
    return;
  }
  next_ = now + every_;
  if (left_out_ == 0) {
    net::log(how, line);
    return;
  }
  try {
    net::log(how, std::string{line} + " (and " + std::to_string(left_out_) + " more like it)");
  } catch (...) {
    net::log(how, line);
  }
  left_out_ = 0;
}

void die(std::string_view who, std::string_view why) noexcept {
  std::fprintf(stderr, "paxtor: %.*s: %.*s; stopping this process\n", static_cast<int>(who.size()),
               who.data(), static_cast<int>(why.size()), why.data());
  log(level::error, why);
  try {
    if (auto logger = spdlog::get("paxtor"))
      logger->flush();
  } catch (...) {
    // The line is on stderr.
  }
  std::abort();
}

void die(std::string_view who, const std::exception_ptr& problem) noexcept {
  try {
    std::rethrow_exception(problem);
  } catch (const std::exception& e) {
    die(who, e.what());
  } catch (...) {
    die(who, "an exception that is no std::exception");
  }
}

} // namespace paxtor::net
