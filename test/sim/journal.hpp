#pragma once

#include <cstdint>
#include <deque>
#include <iosfwd>
#include <ostream>
#include <string>
#include <string_view>

#include "test/sim/true_time.hpp"

namespace paxtor::sim {

/// FNV-1a over what is fed to it.
class digest {
public:
  void mix(std::string_view bytes) {
    for (auto c : bytes) {
      state_ ^= static_cast<unsigned char>(c);
      state_ *= 0x100000001b3ULL;
    }
  }

  void mix(std::uint64_t number) {
    for (int i = 0; i < 8; ++i) {
      state_ ^= (number >> (8 * i)) & 0xff;
      state_ *= 0x100000001b3ULL;
    }
  }

  [[nodiscard]] std::uint64_t value() const { return state_; }

private:
  std::uint64_t state_ = 0xcbf29ce484222325ULL;
};

[[nodiscard]] inline std::uint64_t digest_of(std::string_view bytes) {
  digest d;
  d.mix(bytes);
  return d.value();
}

/// The story of a run: a digest always, text only when somebody will read it (a finding replays its
/// seed with text). The digest does not depend on whether text is kept.
class journal {
public:
  /// Keeps the last `lines` lines of text; none by default.
  void keep(std::size_t lines) { kept_ = lines; }

  /// Writes every line to `out` as well.
  void follow(std::ostream* out) { out_ = out; }

  /// Notes one step. `line()` makes its text; `number` stands for it in the digest.
  template <class Line>
  void note(moment at, std::uint64_t number, Line&& line) {
    digest_.mix(micros(at));
    digest_.mix(number);
    ++notes_;
    if (kept_ != 0 || out_ != nullptr)
      write(at, line());
  }

  void mix(std::string_view bytes) { digest_.mix(bytes); }

  [[nodiscard]] std::uint64_t value() const { return digest_.value(); }
  [[nodiscard]] std::uint64_t notes() const { return notes_; }
  [[nodiscard]] const std::deque<std::string>& tail() const { return tail_; }

private:
  void write(moment at, const std::string& text) {
    auto line = to_string(at) + " " + text;
    if (out_ != nullptr)
      *out_ << line << '\n';
    if (kept_ == 0)
      return;
    tail_.push_back(std::move(line));
    if (tail_.size() > kept_)
      tail_.pop_front();
  }

  digest digest_;
  std::uint64_t notes_ = 0;
  std::size_t kept_ = 0;
  std::ostream* out_ = nullptr;
  std::deque<std::string> tail_;
};

} // namespace paxtor::sim
