#pragma once

/// \file
/// One lambda per alternative for std::visit, so that a new message does not compile where it is
/// not handled.

namespace paxtor::paxos {

template <class... Fs>
struct overloaded : Fs... {
  using Fs::operator()...;
};

template <class... Fs>
overloaded(Fs...) -> overloaded<Fs...>;

} // namespace paxtor::paxos
