// SPDX-License-Identifier: BSD-3-Clause
// Kernel entropy.
#include "base/random.h"

#include <sys/random.h>

#include "base/assert.h"

namespace backplane {

void EntropyBytes(void* out, size_t size) {
  auto* p = static_cast<unsigned char*>(out);
  while (size > 0) {
    ssize_t got = getrandom(p, size, 0);
    BP_ASSERT(got > 0);
    p += got;
    size -= static_cast<size_t>(got);
  }
}

std::string EntropyHex(size_t count) {
  std::string raw((count + 1) / 2, '\0');
  EntropyBytes(raw.data(), raw.size());
  std::string hex;
  hex.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    auto byte = static_cast<unsigned char>(raw[i / 2]);
    hex.push_back("0123456789abcdef"[i % 2 == 0 ? byte >> 4 : byte & 15]);
  }
  return hex;
}

}  // namespace backplane
