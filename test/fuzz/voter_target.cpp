// A whole voter that leads a cluster of its own: log, leases, membership and registry. Nodes,
// guardians and strange voters send it whatever they like; its clock, its disk and its log go on.

#include <chrono>
#include <deque>
#include <optional>

#include "libpaxtor/cluster/frame.hpp"
#include "libpaxtor/cluster/voter.hpp"
#include "libpaxtor/storage/memory_store.hpp"
#include "test/fuzz/making.hpp"

namespace paxtor::fuzz {

namespace {

using std::chrono::milliseconds;

constexpr voter_id self{1};
constexpr int max_steps = 64;

class bench {
public:
  bench() : store_(self) {
    paxos::limits bounds;
    bounds.snapshot_entries = 8;
    bounds.slots_kept = 2;
    bounds.chunk_bytes = 64;
    constexpr std::size_t effect_bytes = 256;
    voter_.emplace(store_.load().state, paxos::configuration{{{self, "v1"}}}, paxos::timing{},
                   bounds, cluster::lease_options{}, generator{7}, now_, effect_bytes);
    take();
    // An input is for a leader: it has none to wait for.
    for (int i = 0; i < 40 && !voter_->state().leading; ++i)
      pass(1);
  }

  void run(fuzz::reader& in) {
    for (int step = 0; step < max_steps && !in.done(); ++step)
      turn(in);
    voter_->machine().check_all();
  }

private:
  void turn(fuzz::reader& in) {
    switch (in.below(8)) {
      case 0:
        pass(1 + in.below(24));
        return;
      case 1:
        persist_ = in.chance();
        take();
        return;
      case 2:
        hear(make_envelope(self, in));
        return;
      case 3:
        frame(in.long_text());
        return;
      default: {
        const node_id from{in.number()};
        voter_->step(now_, from, fuzz::make_node_message(in));
        take();
        return;
      }
    }
  }

  void frame(const std::string& bytes) {
    cluster::frame what;
    if (cluster::decode_frame(bytes, what) != cluster::frame_error::none)
      return;
    if (const auto* x = std::get_if<cluster::paxos_frame>(&what))
      hear({x->from, x->to, x->to_role, x->what});
    else if (auto* y = std::get_if<cluster::node_frame>(&what))
      voter_->step(now_, y->from, y->what);
    take();
  }

  void hear(const paxos::envelope& what) {
    // I22: a voter is believed about its snapshot, and stops if that cannot be read.
    if (!std::holds_alternative<paxos::snapshot_chunk>(what.what))
      voter_->step(now_, what);
    take();
  }

  void pass(std::size_t ticks) {
    for (; ticks > 0; --ticks) {
      now_ += milliseconds{25};
      voter_->tick(now_);
      take();
    }
  }

  void take() {
    for (bool busy = true; busy;) {
      auto out = voter_->take_output();
      fuzz::taken += out.to_nodes.size();
      // What it sends must be readable where it arrives.
      for (auto& what : out.to_nodes) {
        cluster::frame read;
        fuzz::require(cluster::decode_frame(cluster::encode_frame(cluster::voter_frame{
                                              cluster_id{1}, self, what.node, what.what}),
                                            read)
                        == cluster::frame_error::none,
                      "what a voter says to a node can be read");
      }
      for (auto& what : out.writes)
        waiting_.push_back(std::move(what));
      busy = persist_ && !waiting_.empty();
      while (persist_ && !waiting_.empty()) {
        (void)store_.append({waiting_.front()});
        voter_->persisted(now_, waiting_.front().id);
        waiting_.pop_front();
      }
    }
  }

  storage::memory_store store_;
  time_point now_{std::chrono::seconds{1}};
  std::optional<cluster::voter> voter_;
  std::deque<paxos::write> waiting_;
  bool persist_ = true;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::reader in{data, size};
  bench{}.run(in);
  return 0;
}

} // namespace paxtor::fuzz
