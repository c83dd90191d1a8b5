// A disk whose syncs fail on command: README.md.

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <unistd.h>

namespace {

using sync_function = int (*)(int);

bool fails(int fd) {
  const char* switched_on = std::getenv("PAXTOR_TEST_BAD_DISK");
  if (switched_on == nullptr || access(switched_on, F_OK) != 0)
    return false;
  char link[64];
  char path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const auto size = readlink(link, path, sizeof path - 1);
  if (size <= 0)
    return false;
  path[size] = '\0';
  return std::strstr(path, "voter.db") != nullptr;
}

int pass_on(const char* name, int fd) {
  if (fails(fd)) {
    errno = EIO;
    return -1;
  }
  const auto real = reinterpret_cast<sync_function>(dlsym(RTLD_NEXT, name));
  return real(fd);
}

} // namespace

extern "C" int fsync(int fd) {
  return pass_on("fsync", fd);
}

extern "C" int fdatasync(int fd) {
  return pass_on("fdatasync", fd);
}
