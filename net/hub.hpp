#pragma once

/// \file
/// The hub: the actor that makes and keeps a node's links. It listens, connects to the voters (and
/// to nodes that host a singleton somebody here talks to), exchanges hellos, refuses who does not
/// belong, reconnects, and forwards relayed frames.

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
#include "net/endpoint.hpp"
#include "net/peers.hpp"
#include "net/settle.hpp"

namespace paxtor::net {

struct hub_options {
  /// What this node says of itself; `endpoint` (after `listen`) and `cluster` are filled in as they
  /// become known.
  cluster::hello_frame self;
  /// Other nodes to stay connected with: the initial voters (name and address), this node left out.
  /// Once it is known who votes, these take their place.
  struct target {
    std::string name;
    endpoint address;
  };
  std::vector<target> targets;
  /// The local mailboxes that are told to peers. `hub` is filled in.
  mailboxes boxes;
  /// Gets all events below.
  caf::actor listener;
  /// The voter's supervisor, if this node has one: gets link_up, link_down, formation and voters
  /// too.
  caf::actor voter;
  /// Waits between attempts to connect: doubled each time, with jitter.
  std::chrono::milliseconds reconnect_min{20};
  std::chrono::milliseconds reconnect_max{1000};
  /// Hubs of linked nodes tell each other that they live this often. CAF itself notices a silent
  /// peer late or never.
  std::chrono::milliseconds ping_every{250};
  /// A link whose other end was silent for longer is cut and made anew. So what waits for a frozen
  /// peer stays bounded.
  std::chrono::milliseconds silent_after{1500};
  /// For one attempt to connect, and for the answer to a hello.
  std::chrono::milliseconds dial_timeout{1000};
};

/// Messages from the hub to `listener`, each with the peer's hello as encode_frame'd bytes
/// (std::string):
///   (link_up_atom, bytes)       a link is up and the hellos agreed; again when the peer's hello
///   changed (its cluster
///                               formed). The first one is this node's own hello: a node is linked
///                               to itself
///   (link_down_atom, bytes)     it is down: a hint, no proof (F4)
///   (refused_atom, why)         a peer refused us, or we it: one line that says what to do
///   (formation_atom, bytes)     a formation_frame of a peer
///   (voters_atom, bytes)        who votes has changed, as a voters_now: by whose word ever
/// Messages to the hub:
///   (frame)                     a relayed voter_frame for a node linked here; formation_frame
///   (link_to_atom, std::string endpoint)  connect to a node that hosts a singleton. Ask again
///   while it is used: the hub
///                               reconnects for link_to_lasts after the last time it was asked
///   (cluster_is_atom, uint64)   the cluster has formed: the id for further hellos
///   (voters_atom, bytes)        who votes, by this node's own log, as a voters_now
///   (outsider_atom)             this node is no voter after all: hellos say so from now on
///   (status_atom)               answers JSON text: links, targets, counters
///   (stop_atom)                 close the port and all links, and end
using link_up_atom = caf::atom_constant<caf::atom("pxLinkUp")>;
using link_down_atom = caf::atom_constant<caf::atom("pxLinkDn")>;
using refused_atom = caf::atom_constant<caf::atom("pxRefused")>;
using formation_atom = caf::atom_constant<caf::atom("pxForm")>;
using link_to_atom = caf::atom_constant<caf::atom("pxLinkTo")>;
using cluster_is_atom = caf::atom_constant<caf::atom("pxCluster")>;
using voters_atom = caf::atom_constant<caf::atom("pxVoters")>;
using outsider_atom = caf::atom_constant<caf::atom("pxOutside")>;
using status_atom = caf::atom_constant<caf::atom("pxStatus")>;
using stop_atom = caf::atom_constant<caf::atom("pxStop")>;
using frame_atom = caf::atom_constant<caf::atom("pxFrame")>;

/// Between hubs: the first message over a connection, (hello_atom, bytes, mailboxes), answered by
/// (welcome_atom, bytes, mailboxes) or by a refuse_frame; then (alive_atom) now and again.
using hello_atom = caf::atom_constant<caf::atom("pxHello")>;
using welcome_atom = caf::atom_constant<caf::atom("pxWelcome")>;
using alive_atom = caf::atom_constant<caf::atom("pxAlive")>;

/// How long a link_to is good for.
inline constexpr std::chrono::seconds link_to_lasts{60};
/// Targets of link_to at once; more are refused (and logged) until old ones are forgotten.
inline constexpr std::size_t max_link_to = 1024;

/// Spawns the hub (detached, hidden). With TLS if the system's config has certificates
/// (openssl_certificate etc.).
/// ERRORS: an invalid handle if a certificate file cannot be used; check_tls says why.
[[nodiscard]] caf::actor spawn_hub(caf::actor_system& sys, std::shared_ptr<peers> book,
                                   hub_options options);

/// Whether the certificates in the system's config can be used. ERRORS: errc::cannot_open: says
/// which file, and why.
[[nodiscard]] caf::error check_tls(const caf::actor_system_config& cfg);

/// Opens the port, so that join can fail with cannot_open at once. `hub` serves it from now on.
/// Returns the port. ERRORS: errc::cannot_open: address in use, not an address of this machine.
[[nodiscard]] caf::expected<std::uint16_t> listen(caf::actor_system& sys, const caf::actor& hub,
                                                  const endpoint& where);

} // namespace paxtor::net
