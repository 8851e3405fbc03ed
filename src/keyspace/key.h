// SPDX-License-Identifier: BSD-3-Clause
// Key: the bytes of a key together with their hash, so that a command hashes each key once. Engine
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.h"

namespace backplane {

struct Key {
  std::string_view bytes;
  uint64_t hash;

  // Implicit on purpose: most callers have just the bytes.
  Key(std::string_view b) : bytes(b), hash(HashBytes(b)) {}    // NOLINT
  Key(const std::string& b) : bytes(b), hash(HashBytes(b)) {}  // NOLINT
  Key(const char* b) : Key(std::string_view(b)) {}             // NOLINT
  // REQUIRES: h == HashBytes(b). Batches hash their keys ahead of time.
  Key(std::string_view b, uint64_t h) : bytes(b), hash(h) {}
};

}  // namespace backplane
