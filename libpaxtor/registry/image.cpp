#include "libpaxtor/registry/image.hpp"

#include "libpaxtor/registry/machine_impl.hpp"

namespace paxtor::registry {

namespace {

constexpr std::string_view magic = "paxtor registry";

} // namespace

std::string machine::impl::save() const {
  // The oldest version that can say it: a build before drains reads images of a cluster that has
  // not drained any node yet.
  image_writer out{who.has_drains() || singletons.has_moves() ? image_version : oldest_image};
  out.text(magic);
  out.number(out.version());
  out.id(last);
  out.number(reign.round);
  out.id(reign.voter);
  who.save(out);
  held.save(out);
  singletons.save(out);
  entries.save(out);
  return out.take();
}

bool machine::impl::load(std::string_view image) {
  image_reader in{image};
  if (in.text(magic.size()) != magic)
    return false;
  in.version_is(in.number_upto(image_version));
  if (in.version() < oldest_image)
    return false;
  last = in.id<index>();
  reign.round = in.number();
  reign.voter = in.id<voter_id>();
  // The bytes came from a peer or a disk: every reference is checked, then every invariant.
  return in.ok() && who.load(in) && held.load(in) && singletons.load(in) && entries.load(in)
         && in.done() && held.counts_agree() && audit() == nullptr;
}

} // namespace paxtor::registry
