// One voter of the log, fed with whatever peers could send, in any order, with a disk that is slow
// and a process that starts again. No message may trip an invariant. Besides: what it writes and
// says must be what an acceptor may write and say (L1, L2).

#include <chrono>
#include <deque>
#include <optional>

#include "libpaxtor/cluster/frame.hpp"
#include "libpaxtor/paxos/replica.hpp"
#include "libpaxtor/storage/memory_store.hpp"
#include "test/fuzz/making.hpp"

namespace paxtor::fuzz {

namespace {

using namespace paxtor::paxos;
using std::chrono::milliseconds;

constexpr voter_id self{1};
constexpr int max_steps = 96;

class bench {
public:
  bench() : store_(self) { start(); }

  void run(fuzz::reader& in) {
    for (int step = 0; step < max_steps && !in.done(); ++step) {
      turn(in);
      take();
    }
  }

private:
  void start() {
    static const configuration voters{{{self, "v1"}, {voter_id{2}, "v2"}, {voter_id{3}, "v3"}}};
    limits bounds;
    bounds.batch_entries = 3;
    bounds.slots_in_flight = 3;
    bounds.slots_kept = 2;
    bounds.slots_known_decided = 2;
    bounds.promise_bytes = 1;
    bounds.snapshot_entries = 4;
    bounds.chunk_bytes = 16;
    auto state = store_.load().state;
    promised_ = state.promised;
    for (const auto& [where, value] : state.accepted)
      promised_ = std::max(promised_, value.at);
    replica_.emplace(state, voters, timing{}, bounds, generator{7}, now_);
    waiting_.clear();
    task_.reset();
    take();
  }

  void turn(fuzz::reader& in) {
    const auto kind = in.below(16);
    switch (kind) {
      case 0:
        now_ += milliseconds{25} * (1 + static_cast<int>(in.below(32)));
        replica_->tick(now_);
        return;
      case 1:
        (void)replica_->propose(now_, {entry_kind::command, in.text(8)});
        return;
      case 2:
        (void)replica_->propose(now_, {entry_kind::configure, encode(fuzz::make_voters(in))});
        return;
      case 3:
        replica_->confirm(now_, in.number());
        return;
      case 4:
      case 5:
        persist(1 + in.below(3));
        return;
      case 6:
        if (task_)
          replica_->snapshot_made(now_, task_->upto, blob{"image"});
        task_.reset();
        return;
      case 7:
        // A crash: what was not durable is gone.
        start();
        return;
      case 8:
        frame(in.long_text());
        return;
      default:
        deliver(make_envelope(self, in));
        return;
    }
  }

  void frame(const std::string& bytes) {
    cluster::frame what;
    if (cluster::decode_frame(bytes, what) != cluster::frame_error::none)
      return;
    if (const auto* x = std::get_if<cluster::paxos_frame>(&what))
      deliver({x->from, x->to, x->to_role, x->what});
  }

  void deliver(const envelope& what) {
    const auto before = replica_->dropped();
    replica_->step(now_, what);
    fuzz::taken += replica_->dropped() == before ? 1 : 0;
  }

  void persist(std::size_t most) {
    for (; most > 0 && !waiting_.empty(); --most) {
      const auto done = std::move(waiting_.front());
      waiting_.pop_front();
      (void)store_.append({done});
      replica_->persisted(now_, done.id);
    }
  }

  void take() {
    auto out = replica_->take_output();
    for (auto& what : out.writes) {
      for (const auto& op : what.ops)
        wrote(op);
      waiting_.push_back(std::move(what));
    }
    const auto durable = store_.load().state;
    for (const auto& what : out.send)
      says(what.what, durable);
    if (out.want_snapshot)
      task_ = std::move(out.want_snapshot);
  }

  void wrote(const write_op& op) {
    if (const auto* x = std::get_if<write_promise>(&op)) {
      fuzz::require(x->promised > promised_, "L2: a promise only rises");
      promised_ = x->promised;
    } else if (const auto* y = std::get_if<write_accepted>(&op)) {
      fuzz::require(y->value.at >= promised_, "L2: nothing is accepted below the promise");
      promised_ = y->value.at;
    }
  }

  static void says(const paxos::message& what, const recovered& durable) {
    auto highest = durable.promised;
    for (const auto& [where, value] : durable.accepted)
      highest = std::max(highest, value.at);
    if (const auto* x = std::get_if<promise>(&what)) {
      fuzz::require(highest >= x->at, "L1: a promise is durable before it is said");
    } else if (const auto* y = std::get_if<accepted>(&what)) {
      const auto kept = durable.accepted.find(y->where);
      fuzz::require(y->where <= durable.truncated_upto
                      || (kept != durable.accepted.end() && kept->second.at >= y->at),
                    "L1: an acceptance is durable before it is said");
    }
  }

  storage::memory_store store_;
  time_point now_{std::chrono::seconds{1}};
  std::optional<replica> replica_;
  std::deque<write> waiting_;
  std::optional<snapshot_task> task_;
  /// The highest that was written, durable or not.
  ballot promised_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::reader in{data, size};
  bench{}.run(in);
  return 0;
}

} // namespace paxtor::fuzz
