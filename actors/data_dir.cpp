#include "actors/data_dir.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <paxtor/error.hpp>

namespace paxtor::actors {

namespace {

using nlohmann::json;

constexpr int format = 1;
constexpr const char* lock_name = "/lock";
constexpr const char* lives_name = "/lives.json";
constexpr std::size_t max_file_bytes = 1 << 20;

caf::error cannot(const std::string& what) {
  return make_error(errc::cannot_open, what);
}

std::string system_says() {
  return std::strerror(errno);
}

/// File systems whose locks are another machine's word, or nobody's.
bool is_remote(int fd) {
  struct statfs about {};
  if (::fstatfs(fd, &about) != 0)
    return true;
  switch (static_cast<std::uint32_t>(about.f_type)) {
    case 0x6969:     // NFS
    case 0x517B:     // SMB
    case 0xFE534D42: // SMB2
    case 0xFF534D42: // CIFS
    case 0x65735546: // FUSE
    case 0x01021997: // 9p
    case 0x00C36400: // Ceph
    case 0x0BD00BD0: // Lustre
    case 0x01161970: // GFS2
    case 0x7461636F: // OCFS2
    case 0x47504653: // GPFS
    case 0x6B414653: // AFS
      return true;
    default:
      return false;
  }
}

std::string first_line(const std::string& file) {
  std::ifstream in{file};
  std::string result;
  std::getline(in, result);
  return result;
}

caf::error in_use(const std::string& path, const std::string& advice) {
  const auto who = first_line(path + lock_name);
  return cannot("the data directory " + path + " is in use by "
                + (who.empty() ? "another process" : who) + "; " + advice);
}

std::string identity_of(int fd) {
  struct stat about {};
  if (::fstat(fd, &about) != 0)
    return {};
  return first_line("/etc/machine-id") + "/" + std::to_string(about.st_dev) + "/"
         + std::to_string(about.st_ino);
}

std::string to_hex(const std::string& bytes) {
  constexpr const char* digits = "0123456789abcdef";
  std::string result;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    result += {digits[byte >> 4], digits[byte & 15]};
  }
  return result;
}

std::optional<std::string> from_hex(const std::string& text) {
  const auto digit = [](char c) {
    const std::string_view digits = "0123456789abcdef";
    const auto at = digits.find(c);
    return at == digits.npos ? -1 : static_cast<int>(at);
  };
  if (text.size() % 2 != 0)
    return std::nullopt;
  std::string result;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    if (digit(text[i]) < 0 || digit(text[i + 1]) < 0)
      return std::nullopt;
    result += static_cast<char>(digit(text[i]) * 16 + digit(text[i + 1]));
  }
  return result;
}

std::optional<node_life> life_from(const json& value) {
  if (!value.is_object() || !value.contains("node") || !value["node"].is_string()
      || !value.contains("secret") || !value["secret"].is_string())
    return std::nullopt;
  node_life result;
  result.node = node_id{std::strtoull(value["node"].get<std::string>().c_str(), nullptr, 10)};
  auto secret = from_hex(value["secret"].get<std::string>());
  if (!secret || !result.node.valid())
    return std::nullopt;
  result.secret = std::move(*secret);
  result.name = value.value("name", std::string{});
  return result;
}

bool write_all(int fd, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const auto n = ::write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

} // namespace

caf::expected<std::unique_ptr<data_dir>> data_dir::open(const std::string& path,
                                                        const std::string& node_name) {
  std::error_code problem;
  std::filesystem::create_directories(path, problem);
  if (problem)
    return cannot("the data directory " + path + " cannot be made: " + problem.message());
  const auto file = path + lock_name;
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return cannot("the data directory " + path + " cannot be used: " + file + ": " + system_says());
  std::unique_ptr<data_dir> result{new data_dir{path, fd}};
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return cannot("the data directory " + path + " cannot be locked: " + system_says());
    return in_use(path, "stop that one, or give each node a directory of its own");
  }
  result->identity_ = identity_of(fd);
  // For the error above, of whoever comes next.
  const auto line = "process " + std::to_string(::getpid()) + " (node " + node_name + ")\n";
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, line.data(), line.size(), 0) < 0)
    return cannot("the data directory " + path + " cannot be written: " + system_says());
  if (auto error = result->load())
    return error;
  return result;
}

data_dir::~data_dir() {
  ::close(lock_);
}

caf::error data_dir::load() {
  const auto file = path_ + lives_name;
  std::error_code problem;
  if (!std::filesystem::exists(file, problem))
    return problem ? cannot(file + " cannot be read: " + problem.message()) : caf::error{};
  const auto bad = [&](const std::string& why) {
    return cannot(file + " " + why
                  + "; move it away to start without: what the node before held is then free after "
                    "its ttl, strict locks only by 'paxtor release --force'");
  };
  if (std::filesystem::file_size(file, problem) > max_file_bytes || problem)
    return bad("cannot be read or is too large");
  std::ifstream in{file};
  const auto all = json::parse(in, nullptr, false);
  if (!all.is_object() || !all.contains("lives") || !all["lives"].is_array())
    return bad("is damaged");
  if (all.value("format", 0) != format)
    return bad("is of format " + all.value("format", json{}).dump() + ", and this version reads 1");
  std::vector<node_life> lives;
  for (const auto& one : all["lives"]) {
    auto life = life_from(one);
    if (!life)
      return bad("is damaged");
    lives.push_back(std::move(*life));
  }
  if (lives.empty())
    return {};
  if (is_remote(lock_))
    forgotten_ = "it is on a network file system, whose locks prove nothing";
  else if (all.value("lock", std::string{}) != identity_)
    forgotten_ = "it was copied or restored, or its lock file was made anew";
  else
    ended_ = std::move(lives);
  return {};
}

caf::error data_dir::save() const {
  json all{{"format", format}, {"lock", identity_}, {"lives", json::array()}};
  for (const auto* list : {&ended_, &own_})
    for (const auto& one : *list)
      all["lives"].push_back({{"node", std::to_string(one.node.value)},
                              {"secret", to_hex(one.secret)},
                              {"name", one.name}});
  const auto file = path_ + lives_name;
  const auto fresh = file + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0)
    return cannot(fresh + " cannot be written: " + system_says());
  const bool written = write_all(fd, all.dump(2) + "\n") && ::fsync(fd) == 0;
  const auto why = system_says();
  ::close(fd);
  if (!written || ::rename(fresh.c_str(), file.c_str()) != 0)
    return cannot(file + " cannot be written: " + (written ? system_says() : why));
  if (const int dir = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); dir >= 0) {
    ::fsync(dir);
    ::close(dir);
  }
  return {};
}

std::vector<node_life> data_dir::ended() const {
  std::lock_guard guard{mutex_};
  return ended_;
}

caf::error data_dir::begin(node_life life) {
  std::lock_guard guard{mutex_};
  own_.assign(1, std::move(life));
  while (ended_.size() + own_.size() > max_lives_kept)
    ended_.erase(ended_.begin());
  return save();
}

void data_dir::forget(node_id node) {
  std::lock_guard guard{mutex_};
  const auto is_it = [&](const node_life& x) { return x.node == node; };
  const auto gone = std::erase_if(ended_, is_it) + std::erase_if(own_, is_it);
  // If it cannot be written it is certified again next time, which does no harm.
  if (gone > 0)
    (void)save();
}

// -- visits ---------------------------------------------------------------------------------------

caf::expected<std::unique_ptr<data_dir_visit>> data_dir_visit::open(const std::string& path) {
  std::error_code problem;
  if (!std::filesystem::is_directory(path, problem))
    return cannot(path + " is no directory" + (problem ? ": " + problem.message() : ""));
  const int fd = ::open((path + lock_name).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno != ENOENT)
    return cannot(path + lock_name + " cannot be read: " + system_says());
  std::unique_ptr<data_dir_visit> result{new data_dir_visit{fd}};
  if (fd >= 0 && ::flock(fd, LOCK_SH | LOCK_NB) != 0)
    return in_use(path, "stop that one first");
  return result;
}

data_dir_visit::~data_dir_visit() {
  if (lock_ >= 0)
    ::close(lock_);
}

} // namespace paxtor::actors
