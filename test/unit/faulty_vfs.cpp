#include "test/unit/faulty_vfs.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <new>
#include <utility>

namespace paxtor::test {

namespace {

constexpr std::size_t sector = 512;

/// What SQLite holds of an open file; the system's own lies behind it.
struct shim_file {
  sqlite3_file base;
  faulty_vfs* owner;
  std::shared_ptr<faulty_vfs::disk_file>* disk;
  sqlite3_file* real;
};

shim_file& of(sqlite3_file* file) {
  return *reinterpret_cast<shim_file*>(file);
}

sqlite3_vfs* real_of(sqlite3_vfs* vfs) {
  return sqlite3_vfs_find(static_cast<faulty_vfs*>(vfs->pAppData) != nullptr ? "unix" : nullptr);
}

int close_file(sqlite3_file* file) {
  auto& x = of(file);
  const int code = x.real->pMethods->xClose(x.real);
  delete x.disk;
  return code;
}

int read_file(sqlite3_file* file, void* to, int bytes, sqlite3_int64 at) {
  auto& x = of(file);
  if (x.owner->strikes(faulty_vfs::fault::read))
    return SQLITE_IOERR_READ;
  return x.real->pMethods->xRead(x.real, to, bytes, at);
}

int write_file(sqlite3_file* file, const void* from, int bytes, sqlite3_int64 at) {
  auto& x = of(file);
  if (x.owner->strikes(faulty_vfs::fault::write))
    return SQLITE_IOERR_WRITE;
  if (x.owner->strikes(faulty_vfs::fault::full))
    return SQLITE_FULL;
  x.owner->about_to_change();
  (*x.disk)->pending.push_back(
    {static_cast<std::uint64_t>(at),
     std::string{static_cast<const char*>(from), static_cast<std::size_t>(bytes)}, false});
  return x.real->pMethods->xWrite(x.real, from, bytes, at);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  auto& x = of(file);
  x.owner->about_to_change();
  (*x.disk)->pending.push_back({static_cast<std::uint64_t>(size), {}, true});
  return x.real->pMethods->xTruncate(x.real, size);
}

int sync_file(sqlite3_file* file, int /*flags*/) {
  auto& x = of(file);
  if (x.owner->strikes(faulty_vfs::fault::sync))
    return SQLITE_IOERR_FSYNC;
  x.owner->about_to_change();
  // The disk is in this program: the real one need not be waited for.
  (*x.disk)->sync();
  return SQLITE_OK;
}

const sqlite3_io_methods methods = {
  3,
  close_file,
  read_file,
  write_file,
  truncate_file,
  sync_file,
  [](sqlite3_file* f, sqlite3_int64* size) {
    return of(f).real->pMethods->xFileSize(of(f).real, size);
  },
  [](sqlite3_file* f, int lock) { return of(f).real->pMethods->xLock(of(f).real, lock); },
  [](sqlite3_file* f, int lock) { return of(f).real->pMethods->xUnlock(of(f).real, lock); },
  [](sqlite3_file* f, int* out) {
    return of(f).real->pMethods->xCheckReservedLock(of(f).real, out);
  },
  [](sqlite3_file* f, int what, void* arg) {
    return of(f).real->pMethods->xFileControl(of(f).real, what, arg);
  },
  [](sqlite3_file* f) { return of(f).real->pMethods->xSectorSize(of(f).real); },
  [](sqlite3_file* f) { return of(f).real->pMethods->xDeviceCharacteristics(of(f).real); },
  [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
    return of(f).real->pMethods->xShmMap(of(f).real, page, size, extend, out);
  },
  [](sqlite3_file* f, int offset, int n, int flags) {
    return of(f).real->pMethods->xShmLock(of(f).real, offset, n, flags);
  },
  [](sqlite3_file* f) { of(f).real->pMethods->xShmBarrier(of(f).real); },
  [](sqlite3_file* f, int remove) { return of(f).real->pMethods->xShmUnmap(of(f).real, remove); },
  [](sqlite3_file* f, sqlite3_int64 at, int n, void** out) {
    return of(f).real->pMethods->xFetch(of(f).real, at, n, out);
  },
  [](sqlite3_file* f, sqlite3_int64 at, void* page) {
    return of(f).real->pMethods->xUnfetch(of(f).real, at, page);
  },
};

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
  auto& x = of(file);
  x.base.pMethods = nullptr;
  x.owner = static_cast<faulty_vfs*>(vfs->pAppData);
  x.real = reinterpret_cast<sqlite3_file*>(&x + 1);
  const int code = real_of(vfs)->xOpen(real_of(vfs), name, x.real, flags, out);
  if (code != SQLITE_OK)
    return code;
  x.disk = new std::shared_ptr<faulty_vfs::disk_file>(x.owner->disk(name != nullptr ? name : ""));
  x.base.pMethods = &methods;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int sync) {
  auto* owner = static_cast<faulty_vfs*>(vfs->pAppData);
  owner->about_to_change();
  owner->removed(name);
  return real_of(vfs)->xDelete(real_of(vfs), name, sync);
}

} // namespace

faulty_vfs::faulty_vfs() : real_(sqlite3_vfs_find("unix")) {
  vfs_ = *real_;
  vfs_.zName = "paxtor-faulty";
  vfs_.pAppData = this;
  vfs_.szOsFile = static_cast<int>(sizeof(shim_file)) + real_->szOsFile;
  vfs_.xOpen = open_file;
  vfs_.xDelete = delete_file;
  vfs_.xAccess = [](sqlite3_vfs* v, const char* name, int flags, int* out) {
    return real_of(v)->xAccess(real_of(v), name, flags, out);
  };
  vfs_.xFullPathname = [](sqlite3_vfs* v, const char* name, int n, char* out) {
    return real_of(v)->xFullPathname(real_of(v), name, n, out);
  };
  sqlite3_vfs_register(&vfs_, 1);
}

faulty_vfs::~faulty_vfs() {
  sqlite3_vfs_unregister(&vfs_);
  sqlite3_vfs_register(real_, 1);
}

bool faulty_vfs::strikes(fault what) {
  if (fault_ != what)
    return false;
  if (after_ > 0) {
    --after_;
    return false;
  }
  failed_ = true;
  return true;
}

void faulty_vfs::about_to_change() {
  if (!cut_)
    return;
  if (cut_after_ > 0) {
    --cut_after_;
    return;
  }
  std::exchange(cut_, nullptr)();
}

std::shared_ptr<faulty_vfs::disk_file> faulty_vfs::disk(const std::string& path) {
  auto& result = disk_[path];
  if (!result) {
    result = std::make_shared<disk_file>();
    std::ifstream in{path, std::ios::binary};
    result->synced.assign(std::istreambuf_iterator<char>{in}, {});
  }
  return result;
}

void faulty_vfs::disk_file::carry_out(std::string& bytes, const change& what) {
  if (what.truncates) {
    bytes.resize(what.at);
    return;
  }
  if (bytes.size() < what.at + what.bytes.size())
    bytes.resize(what.at + what.bytes.size());
  bytes.replace(what.at, what.bytes.size(), what.bytes);
}

void faulty_vfs::disk_file::sync() {
  for (const auto& one : pending)
    carry_out(synced, one);
  pending.clear();
}

void faulty_vfs::power_cut(const std::string& directory, generator& random) const {
  for (const auto& [path, file] : disk_) {
    if (path.empty())
      continue;
    auto bytes = file->synced;
    for (auto one : file->pending) {
      const auto fate = random.below(3);
      if (fate == 0)
        continue;
      if (fate == 1)
        one.bytes.resize(random.below(one.bytes.size() / sector + 1) * sector);
      disk_file::carry_out(bytes, one);
    }
    const auto name = std::filesystem::path{path}.filename().string();
    std::ofstream{directory + "/" + name, std::ios::binary} << bytes;
  }
}

} // namespace paxtor::test
