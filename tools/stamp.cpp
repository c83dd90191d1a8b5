#include "tools/stamp.hpp"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tools/guard.hpp"

namespace paxtor::tools {

namespace {

using cell = std::atomic<std::int64_t>;

static_assert(cell::is_always_lock_free);

void* map(int fd, int access) {
  auto* page = mmap(nullptr, sizeof(cell), access, MAP_SHARED, fd, 0);
  return page == MAP_FAILED ? nullptr : page;
}

} // namespace

bool stamp_until_death(const std::string& file, const stall_watch& stalls) {
  const int fd = open(file.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0)
    return false;
  auto* page = map(fd, PROT_READ | PROT_WRITE);
  close(fd);
  if (page == nullptr)
    return false;
  std::thread{[page, stalls] {
    auto last = boot_now();
    for (;;) {
      const auto now = boot_now();
      static_cast<cell*>(page)->store(now.count());
      if (stalls.tell && now - last > stalls.longer_than)
        stalls.tell(last, now);
      last = now;
      std::this_thread::sleep_for(stalls.every);
    }
  }}.detach();
  return true;
}

namespace {

std::string temporary_folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr ? folder : "/tmp";
}

} // namespace

life_sign::life_sign() : life_sign(temporary_folder()) {}

life_sign::life_sign(const std::string& folder) : file_(folder + "/paxtor-life-XXXXXX") {
  const int fd = mkostemp(file_.data(), O_CLOEXEC);
  if (fd >= 0 && ftruncate(fd, sizeof(cell)) == 0)
    page_ = map(fd, PROT_READ);
  if (fd >= 0)
    close(fd);
  if (page_ == nullptr)
    throw std::runtime_error("cannot make the file " + file_);
}

life_sign::~life_sign() {
  munmap(const_cast<void*>(page_), sizeof(cell));
  unlink(file_.c_str());
}

std::chrono::nanoseconds life_sign::last() const {
  return std::chrono::nanoseconds{static_cast<const cell*>(page_)->load()};
}

} // namespace paxtor::tools
