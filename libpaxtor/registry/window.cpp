#include "libpaxtor/registry/window.hpp"

#include <algorithm>

#include "libpaxtor/base/check.hpp"
#include "libpaxtor/registry/image.hpp"

namespace paxtor::registry {

namespace {

/// The longest detail that is kept for a repeat.
constexpr std::size_t max_detail_bytes = std::size_t{64} << 10;

} // namespace

window::verdict window::judge(const origin& from) const {
  if (from.number < base_)
    return verdict::below;
  auto base = std::max(base_, from.done_below).value;
  if (from.number.value - base >= max_window)
    return verdict::beyond;
  auto offset = from.number.value - base_.value;
#ifndef PAXTOR_CANARY_TAKES_EFFECT_TWICE
  if (offset < records_.size() && records_[offset].what != record::kind::none)
    return verdict::repeated;
#endif
  return verdict::fresh;
}

void window::advance(seq done_below) {
  if (done_below <= base_)
    return;
  auto gone = done_below.value - base_.value;
  if (gone >= records_.size())
    records_.clear();
  else
    records_.erase(records_.begin(), records_.begin() + static_cast<std::ptrdiff_t>(gone));
  base_ = done_below;
  if (first_gap_ < base_) {
    first_gap_ = base_;
    while (find(first_gap_) != nullptr)
      first_gap_ = first_gap_.next();
  }
}

record& window::note(seq number, record::kind what) {
  PAXTOR_CHECK("W2", number >= base_ && number.value - base_.value < max_window);
  auto offset = static_cast<std::size_t>(number.value - base_.value);
  if (offset >= records_.size())
    records_.resize(offset + 1);
  auto& result = records_[offset];
#ifndef PAXTOR_CANARY_TAKES_EFFECT_TWICE
  PAXTOR_CHECK("W1", result.what == record::kind::none);
#endif
  result.what = what;
  while (find(first_gap_) != nullptr)
    first_gap_ = first_gap_.next();
  return result;
}

record* window::find(seq number) {
  if (number < base_ || number.value - base_.value >= records_.size())
    return nullptr;
  auto& result = records_[static_cast<std::size_t>(number.value - base_.value)];
  return result.what != record::kind::none ? &result : nullptr;
}

void window::clear() {
  *this = window{};
}

void window::save(image_writer& out) const {
  out.id(base_);
  out.number(records_.size());
  for (const auto& x : records_) {
    out.number(static_cast<std::uint64_t>(x.what));
    if (x.what == record::kind::none)
      continue;
    out.number(static_cast<std::uint64_t>(x.code));
    out.id(x.grant);
    out.text(x.detail ? std::string_view{*x.detail} : std::string_view{});
  }
}

bool window::load(image_reader& in) {
  clear();
  base_ = in.id<seq>();
  if (base_.value == 0 || base_.value > max_seq)
    return false;
  auto size = in.count();
  if (size > max_window)
    return false;
  for (std::size_t i = 0; in.ok() && i < size; ++i) {
    record x;
    x.what =
      static_cast<record::kind>(in.number_upto(static_cast<std::uint64_t>(record::kind::other)));
    if (x.what != record::kind::none) {
      x.code = static_cast<status>(in.number_upto(static_cast<std::uint64_t>(status::no_node)));
      x.grant = in.id<token>();
      auto detail = in.text(max_detail_bytes);
      if (!detail.empty())
        x.detail = std::make_unique<std::string>(detail);
    }
    records_.push_back(std::move(x));
  }
  // The last record is applied, else the same window would have two images.
  if (!records_.empty() && records_.back().what == record::kind::none)
    return false;
  first_gap_ = base_;
  while (find(first_gap_) != nullptr)
    first_gap_ = first_gap_.next();
  return in.ok();
}

} // namespace paxtor::registry
