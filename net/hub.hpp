#pragma once

/// \file
/// The hub: the actor that makes and keeps a node's links. It listens, connects to the voters (and to nodes that host a
/// singleton somebody here talks to), exchanges hellos, refuses who does not belong, reconnects, and forwards relayed frames.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/atom.hpp>
#include <caf/expected.hpp>
#include <caf/fwd.hpp>

#include "libpaxtor/cluster/frame.hpp"
#include "net/peers.hpp"

namespace paxtor::net {

/// host:port. ERRORS: errc::invalid with what to do.
struct endpoint {
  std::string host;
  std::uint16_t port = 0;
};
[[nodiscard]] caf::expected<endpoint> parse_endpoint(const std::string& text);
[[nodiscard]] bool is_loopback(const std::string& host);

struct hub_options {
  /// What this node says of itself; `endpoint` and `cluster` are filled in as they become known.
  cluster::hello_frame self;
  /// Other nodes to stay connected with: the initial voters (name and address), this node left out.
  struct target {
    std::string name;
    endpoint address;
  };
  std::vector<target> targets;
  /// The local mailboxes that are told to peers. `hub` is filled in.
  mailboxes boxes;
  /// Gets the events below.
  caf::actor listener;
  std::chrono::milliseconds reconnect_min{20};
  std::chrono::milliseconds reconnect_max{1000};
};

/// Messages from the hub to `listener`, each with the peer's hello as encode_frame'd bytes (std::string):
///   (link_up_atom, bytes)       a link is up and the hellos agreed
///   (link_down_atom, bytes)     it is down: a hint, no proof (F4)
///   (refused_atom, why)         a peer refused us, or we it: one line that says what to do
///   (formation_atom, bytes)     a formation_frame of a peer
/// Messages to the hub:
///   (frame)                     a relayed voter_frame for a node linked here; formation_frame
///   (connect_atom, std::string endpoint)  connect and stay connected while used: hosts of singletons
///   (cluster_is_atom, uint64)   the cluster has formed: the id for further hellos
///   (stop_atom)                 close all links and end
using link_up_atom = caf::atom_constant<caf::atom("pxLinkUp")>;
using link_down_atom = caf::atom_constant<caf::atom("pxLinkDn")>;
using refused_atom = caf::atom_constant<caf::atom("pxRefused")>;
using formation_atom = caf::atom_constant<caf::atom("pxForm")>;
using link_to_atom = caf::atom_constant<caf::atom("pxLinkTo")>;
using cluster_is_atom = caf::atom_constant<caf::atom("pxCluster")>;
using stop_atom = caf::atom_constant<caf::atom("pxStop")>;
using frame_atom = caf::atom_constant<caf::atom("pxFrame")>;

/// Spawns the hub (detached, hidden). With TLS if the system's config has certificates (openssl_certificate etc.).
[[nodiscard]] caf::actor spawn_hub(caf::actor_system& sys, std::shared_ptr<peers> book, hub_options options);

/// Opens the port before the hub runs, so that join can fail with cannot_open at once. Publishes `hub` at host:port.
/// Returns the port. ERRORS: errc::cannot_open: address in use, not an address of this machine, certificate unreadable.
[[nodiscard]] caf::expected<std::uint16_t> listen(caf::actor_system& sys, const caf::actor& hub, const endpoint& where);

} // namespace paxtor::net
