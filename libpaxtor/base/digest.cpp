#include "libpaxtor/base/digest.hpp"

#include <openssl/sha.h>

namespace paxtor {

static_assert(digest_bytes == SHA256_DIGEST_LENGTH);

std::string sha256(std::string_view bytes) {
  unsigned char result[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), result);
  return {reinterpret_cast<const char*>(result), sizeof(result)};
}

} // namespace paxtor
