#pragma once

/// \file
/// The injected generator. The driver seeds it (from the system's random source in production, from
/// the seed in the simulator); the same seed gives the same numbers on every platform.

#include <cstdint>

namespace paxtor {

/// splitmix64 (Steele, Lea, Flood 2014): small, fast, no bad seeds. Not for secrets.
class generator {
public:
  explicit constexpr generator(std::uint64_t seed) : state_(seed) {}

  /// The next 64 bits.
  constexpr std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  /// A number in [0, bound). REQUIRES: bound > 0. The bias of the modulus is below 2^-32 for our
  /// bounds.
  constexpr std::uint64_t below(std::uint64_t bound) { return next() % bound; }

  /// A number in [low, high]. REQUIRES: low <= high.
  constexpr std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }

  /// True in `percent` of 100 calls.
  constexpr bool chance(std::uint64_t percent) { return below(100) < percent; }

  /// An id that is not zero.
  template <class Id>
  constexpr Id make_id() {
    auto x = next();
    return Id{x != 0 ? x : 1};
  }

  /// A generator of its own, for a part that must not shift the others' numbers.
  constexpr generator fork() { return generator{next()}; }

private:
  std::uint64_t state_;
};

} // namespace paxtor
