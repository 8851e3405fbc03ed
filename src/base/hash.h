// SPDX-License-Identifier: BSD-3-Clause
// The one keyed hash of all tables. The secret is drawn once per process before any table exists;
// it is process state by nature (tables of different owners compare each other's stored hash bits),
// so it lives behind these two functions. Any thread after start.
#pragma once

#include <cstdint>
#include <string_view>

namespace backplane {

// Draws the secret from the kernel. Called once, first thing in main; tests may leave it out and
// get a fixed secret.
void SeedHash();

// 64 well-mixed bits of `bytes` under the process secret.
uint64_t HashBytes(std::string_view bytes);

}  // namespace backplane
