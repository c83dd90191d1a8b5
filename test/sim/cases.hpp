#pragma once

namespace paxtor::sim {

/// One lambda per alternative for std::visit, so that a new one does not compile where it is not
/// handled.
template <class... Fs>
struct cases : Fs... {
  using Fs::operator()...;
};

template <class... Fs>
cases(Fs...) -> cases<Fs...>;

} // namespace paxtor::sim
