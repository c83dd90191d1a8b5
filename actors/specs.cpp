#include "actors/specs.hpp"

#include <paxtor/error.hpp>

#include "actors/arguments.hpp"

namespace paxtor::actors {

caf::error make_spec(caf::actor_system& sys, const std::string& type, const caf::message& args,
                     const name_options& options, registry::singleton_spec& out) {
  if (type.empty())
    return make_error(errc::invalid,
                      "the actor type is empty: name one that was given to add_actor_type");
  out.type = type;
  out.labels = options.labels;
  out.where = options.fewest ? registry::placement::fewest : registry::placement::rendezvous;
  out.restart = options.restart_on_failure ? registry::restart_policy::on_failure
                                           : registry::restart_policy::never;
  return pack_arguments(sys, args, out.args);
}

} // namespace paxtor::actors
