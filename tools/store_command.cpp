/// `paxtor store`: looks into a voter's store, and makes a new cluster of one when a majority is
/// lost for ever. Both work on a data directory that no node uses.

#include <iostream>
#include <memory>
#include <optional>

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "actors/data_dir.hpp"
#include "actors/lone_store.hpp"
#include "libpaxtor/storage/sqlite_inspect.hpp"
#include "libpaxtor/storage/sqlite_store.hpp"
#include "tools/commands.hpp"
#include "tools/exit_status.hpp"
#include "tools/query.hpp"
#include "tools/table.hpp"

namespace paxtor::tools {

namespace {

using nlohmann::json;
using storage::inspection;

struct store_args {
  std::string directory;
  std::string name;
  std::string confirmed;
  bool json = false;
};

std::string file_of(const store_args& args) {
  return args.directory + "/" + storage::sqlite_store::file_name;
}

bool has_store(const store_args& args) {
  return ::access(file_of(args).c_str(), F_OK) == 0;
}

int complain_no_store(const store_args& args) {
  return complain("there is no " + file_of(args)
                    + ": no voter keeps its log here (a client node has no store)",
                  exit_unavailable);
}

std::string name_in(const paxos::configuration& voters, voter_id id) {
  for (const auto& who : voters.members)
    if (who.id == id)
      return who.name;
  return {};
}

// -- inspect --------------------------------------------------------------------------------------

json voters_of(const paxos::configuration& voters) {
  auto result = json::array();
  for (const auto& who : voters.members)
    result.push_back({{"name", who.name}, {"id", who.id.value}});
  return result;
}

json to_json(const store_args& args, const inspection& found) {
  json out{{"file", file_of(args)},
           {"format", found.format},
           {"voter", nullptr},
           {"cluster", nullptr},
           {"promised", nullptr},
           {"snapshot", nullptr},
           {"stale_parts", found.stale_parts},
           {"file_bytes", found.file_bytes},
           {"wal_bytes", found.log_bytes},
           {"closed", found.closed},
           {"copied", found.copied},
           {"damages", found.damages}};
  if (found.self)
    out["voter"] = found.self->value;
  if (const auto& x = found.formation)
    out["cluster"] = {
      {"id", x->cluster.value}, {"formed", x->formed}, {"initial_voters", voters_of(x->voters)}};
  if (found.promised.valid())
    out["promised"] = {{"round", found.promised.round}, {"voter", found.promised.voter.value}};
  out["log"] = {{"first", found.first.value},
                {"last", found.last.value},
                {"slots", found.slots},
                {"bytes", found.slot_bytes},
                {"truncated_upto", found.truncated_upto.value}};
  if (const auto& x = found.snapshot)
    out["snapshot"] = {{"upto", x->upto.value},
                       {"last_index", x->last.value},
                       {"bytes", found.snapshot_bytes},
                       {"voters", voters_of(x->voters)}};
  return out;
}

std::string list_of(const paxos::configuration& voters) {
  std::string result;
  for (const auto& who : voters.members)
    result += (result.empty() ? "" : ", ") + who.name + "=" + to_string(who.id);
  return result;
}

std::string show_bytes(std::uint64_t bytes) {
  return std::to_string(bytes) + " bytes";
}

void print_table(const store_args& args, const inspection& found) {
  table out{{"WHAT", "IS"}};
  out.add({"file", file_of(args)});
  out.add({"format", std::to_string(found.format)});
  auto voter = found.self ? to_string(*found.self) : std::string{"-"};
  if (found.self && found.formation)
    if (const auto name = name_in(found.formation->voters, *found.self); !name.empty())
      voter += " (" + name + ")";
  out.add({"voter", voter});
  const auto& cluster = found.formation;
  out.add({"cluster", cluster ? to_string(cluster->cluster) : "none"});
  if (cluster) {
    out.add({"formed", cluster->formed ? "yes" : "no, only pledged"});
    out.add({"initial voters", list_of(cluster->voters)});
  }
  out.add({"promised", found.promised.valid() ? "round " + std::to_string(found.promised.round)
                                                  + " of voter " + to_string(found.promised.voter)
                                              : std::string{"nothing"}});
  out.add({"accepted", found.slots == 0
                         ? std::string{"nothing"}
                         : "slots " + to_string(found.first) + " to " + to_string(found.last) + ", "
                             + std::to_string(found.slots) + " of them, "
                             + show_bytes(found.slot_bytes)});
  out.add({"truncated", found.truncated_upto.valid()
                          ? "up to slot " + to_string(found.truncated_upto)
                          : std::string{"nothing"}});
  if (const auto& x = found.snapshot) {
    out.add({"snapshot", "up to slot " + to_string(x->upto) + ", entry " + to_string(x->last) + ", "
                           + show_bytes(found.snapshot_bytes)});
    out.add({"its voters", list_of(x->voters)});
  } else {
    out.add({"snapshot", "none"});
  }
  out.add({"size", show_bytes(found.file_bytes) + ", and " + show_bytes(found.log_bytes)
                     + " in the log beside it"});
  out.add({"last process", found.closed ? "closed it" : "was killed, or the machine stopped"});
  if (found.copied)
    out.add({"copy", "yes: a node refuses it"});
  out.print(std::cout);
}

int run_inspect(const store_args& args) {
  const auto visit = actors::data_dir_visit::open(args.directory);
  if (!visit)
    return complain(visit.error());
  if (!has_store(args))
    return complain_no_store(args);
  const auto found = storage::inspect(args.directory);
  if (!found.why.empty())
    return complain(found.why, exit_failure);
  if (args.json)
    print_json(to_json(args, found));
  else
    print_table(args, found);
  for (const auto& what : found.damages)
    complain("damaged: " + what, exit_failure);
  return found.damages.empty() ? exit_ok : exit_failure;
}

// -- force-new-cluster ----------------------------------------------------------------------------

/// True if whoever runs this has typed the cluster's id.
bool confirmed(const store_args& args, const std::string& id) {
  if (!args.confirmed.empty())
    return args.confirmed == id;
  std::cerr << "What only the lost voters had decided is lost. Never start a lost voter's data\n"
               "directory again: enough of them would go on as the old cluster, and give away\n"
               "what this one gives away. Keep a copy of "
            << args.directory << ".\nTo go on, type the old cluster's id, " << id << ": "
            << std::flush;
  std::string typed;
  std::getline(std::cin, typed);
  return typed == id;
}

int run_force(const store_args& args) {
  const auto store = actors::lone_store::open(args.directory, args.name);
  if (!store)
    return complain(store.error());
  const auto& now = (*store)->future();
  const auto old = to_string(now.old_cluster);
  if (!confirmed(args, old))
    return complain("that is not the cluster's id, " + old + ": nothing was changed", exit_failure);
  if (const auto problem = (*store)->carry_out())
    return complain(problem);
  if (args.json) {
    print_json({{"old_cluster", now.old_cluster.value},
                {"cluster", now.cluster.value},
                {"name", now.name},
                {"voter", now.voter.value},
                {"upto", now.upto.value},
                {"applied", now.applied},
                {"left_out", now.left_out}});
    return exit_ok;
  }
  std::cout << "Cluster " << old << " is now cluster " << to_string(now.cluster) << ", and "
            << now.name << " is its only voter.\nIt has all up to slot " << to_string(now.upto)
            << "; " << now.applied << " slots behind the snapshot were taken for decided, "
            << now.left_out << " behind a gap were left out.\nStart it with --voters that names "
            << now.name << " alone, and the other nodes anew with the same." << std::endl;
  return exit_ok;
}

} // namespace

void add_store_command(CLI::App& app, command_line& line) {
  auto* sub = app.add_subcommand("store", "Look into a voter's data directory; save what is left");
  sub->require_subcommand(1);
  auto args = std::make_shared<store_args>();
  const auto directory = [args](CLI::App& one) {
    one.add_option("DIR", args->directory, "the data directory of a node that does not run")
      ->required();
    one.add_flag("--json", args->json, "print one line of JSON");
  };
  auto* look =
    sub->add_subcommand("inspect", "Print what a store holds, and check every row of it");
  directory(*look);
  look->footer(
    R"(Changes nothing, also after a crash: what was written last lies in voter.db-wal, and is read
from there. Status 1 if anything is damaged; each damage is a line on stderr.

Example:
  paxtor store inspect data/a)");
  look->callback([args, &line] { line.chosen = [args] { return run_inspect(*args); }; });
  auto* force = sub->add_subcommand(
    "force-new-cluster", "Make a cluster of one voter, when a majority is lost for ever");
  directory(*force);
  force->add_option("--name", args->name, "the node's name, if the store does not tell it");
  force
    ->add_option("--yes-i-lose-data", args->confirmed, "the old cluster's id, instead of typing it")
    ->type_name("CLUSTER");
  force->footer(
    R"(Only if a majority of the voters and their directories will never come back. Take the voter
that has most: 'paxtor store inspect' prints the last slot. What this one had accepted is taken
for decided, also what never was; what only the lost voters had decided is lost: a lock may be
held by two owners until the old one's node has stopped it, a put may be gone. The new cluster
has another id, so voters of the old one are strangers to it. Never start those again.

Example:
  paxtor store force-new-cluster data/a
  paxtor node --name a --voters a=10.0.0.1:4800 --data-dir data/a)");
  force->callback([args, &line] { line.chosen = [args] { return run_force(*args); }; });
}

} // namespace paxtor::tools
