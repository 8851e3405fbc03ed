// SPDX-License-Identifier: BSD-3-Clause
// Versions that clients and modules are told. Any thread.
#pragma once

#include <string_view>

namespace backplane {

inline constexpr std::string_view kBackplaneVersion = "0.1.0";
// The level of Redis whose commands, replies and files we speak: HELLO, INFO and modules say this
// one.
inline constexpr std::string_view kCompatVersion = "7.2.5";
inline constexpr int kCompatVersionNumber = 0x00070205;

}  // namespace backplane
