// SPDX-License-Identifier: BSD-3-Clause
// Digests as lower-case hex: script names (SHA-1), ACL password hashes (SHA-256). Any thread.
#pragma once

#include <string>
#include <string_view>

namespace backplane {

// 40 characters.
std::string Sha1Hex(std::string_view bytes);
// 64 characters.
std::string Sha256Hex(std::string_view bytes);

}  // namespace backplane
