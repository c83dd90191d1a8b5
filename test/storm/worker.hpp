#pragma once

namespace CLI {
class App;
}

namespace paxtor::storm {

/// The hidden subcommand `worker`: a client node that takes locks, puts entries, hosts singletons
/// and calls them, and writes down what it was told (history.hpp). It obeys JSON lines on stdin and
/// ends with it; every order is answered on stdout:
///   {"op":"go","id":1,"first_entry":0}     begins to work -> {"id":1,"ok":true}
///   {"op":"rest","id":2}      no new requests     -> {"id":2,"busy":3}: those without an answer
///   {"op":"counts","id":3}    -> {"id":3,"busy":0,"grants":1,"puts":2,"calls":3,"failed":4}
///   {"op":"probe","id":4,"locks":["a"],"names":["b"],"entries":{"k":"v"},"patience_ms":9}
///     -> {"id":4,"failed":["lock load-1: ..", ..],"wrong":["entry k is .."]}
/// `status`: what to exit with, once the command line has been run.
void add_worker_command(CLI::App& app, int& status);

} // namespace paxtor::storm
