#include "actors/arguments.hpp"

#include <exception>
#include <string>
#include <vector>

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

#include <paxtor/error.hpp>

namespace paxtor::actors {

caf::error pack_arguments(caf::actor_system& sys, const caf::message& args, blob& out) {
  if (args.empty()) {
    out = {};
    return {};
  }
  std::vector<char> bytes;
  caf::binary_serializer sink{sys, bytes};
  try {
    if (auto problem = sink(const_cast<caf::message&>(args)))
      return make_error(errc::invalid, "the arguments cannot be sent to another node ("
                                         + describe(problem)
                                         + "): give their types to add_message_type on all nodes");
  } catch (const std::exception& ex) {
    return make_error(errc::invalid, std::string{"the arguments cannot be sent to another node ("}
                                       + ex.what()
                                       + "): give their types to add_message_type on all nodes");
  }
  if (bytes.size() > max_argument_bytes)
    return make_error(errc::invalid, "the arguments have " + std::to_string(bytes.size())
                                       + " bytes, more than " + std::to_string(max_argument_bytes));
  out = blob{std::string{bytes.begin(), bytes.end()}};
  return {};
}

caf::error unpack_arguments(caf::actor_system& sys, const blob& bytes, caf::message& out) {
  out.reset();
  if (bytes.empty())
    return {};
  const auto view = bytes.view();
  caf::binary_deserializer source{sys, view.data(), view.size()};
  try {
    return source(out);
  } catch (const std::exception& ex) {
    return make_error(errc::invalid, ex.what());
  }
}

} // namespace paxtor::actors
