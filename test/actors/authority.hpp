#pragma once

/// \file
/// Certificates for tests, made on the spot.

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <stdlib.h>

namespace paxtor::test {

struct tls_files {
  std::string certificate;
  std::string key;
  std::string ca;
};

/// A CA and a certificate of it, made with the openssl program in a folder that goes away. Throws
/// std::runtime_error if that cannot be.
class authority {
public:
  authority() {
    std::string pattern = (std::filesystem::temp_directory_path() / "paxtor-tls-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw std::runtime_error("cannot make the folder " + pattern);
    folder_ = pattern;
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
        "/CN=ca "
        "-keyout ca.key -out ca.pem");
    run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=node "
        "-keyout node.key -out node.csr");
    run("openssl x509 -req -in node.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out "
        "node.pem");
  }

  ~authority() { std::filesystem::remove_all(folder_); }

  [[nodiscard]] tls_files files() const {
    return {folder_ + "/node.pem", folder_ + "/node.key", folder_ + "/ca.pem"};
  }

private:
  void run(const std::string& command) const {
    auto all = "cd '" + folder_ + "' && " + command + " >log 2>&1";
    if (std::system(all.c_str()) != 0)
      throw std::runtime_error("failed: " + command);
  }

  std::string folder_;
};

} // namespace paxtor::test
