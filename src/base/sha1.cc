// SPDX-License-Identifier: BSD-3-Clause
// Digests by OpenSSL.
#include "base/sha1.h"

#include <openssl/evp.h>

#include "base/assert.h"

namespace backplane {
namespace {

std::string DigestHex(const EVP_MD* algorithm, std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  // Fails only where the library was built without the algorithm.
  BP_ASSERT(EVP_Digest(bytes.data(), bytes.size(), digest, &size, algorithm, nullptr) == 1);
  std::string hex;
  hex.reserve(size * 2);
  for (unsigned i = 0; i < size; ++i) {
    hex.push_back(kHex[digest[i] >> 4]);
    hex.push_back(kHex[digest[i] & 15]);
  }
  return hex;
}

}  // namespace

std::string Sha1Hex(std::string_view bytes) { return DigestHex(EVP_sha1(), bytes); }
std::string Sha256Hex(std::string_view bytes) { return DigestHex(EVP_sha256(), bytes); }

}  // namespace backplane
