// SPDX-License-Identifier: BSD-3-Clause
// Numbers <-> text with the rules that clients of Redis know: what counts as an integer, how a
// double is printed. Every layer uses these and nothing else for client-visible numbers. Any
// thread; no locale, no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace backplane {

// Room for any text that Int64ToText, DoubleToText write.
inline constexpr size_t kNumberTextMax = 48;
// Room for any text that LongDoubleToText writes ("%.17Lf" of the largest long double).
inline constexpr size_t kLongDoubleTextMax = 5 * 1024;

// Strict canonical integer: optional '-', no '+', no leading zero (but "0"), no spaces, whole
// input, in range. "-0" is refused.
std::optional<int64_t> ParseInt64(std::string_view text);
std::optional<uint64_t> ParseUint64(std::string_view text);

// A double as C's strtod reads it (hex floats, "inf", "1e3"), whole input, no leading space, no
// NaN. nullopt on anything else and on overflow to infinity by a finite spelling.
std::optional<double> ParseDouble(std::string_view text);
std::optional<long double> ParseLongDouble(std::string_view text);

// Writes the decimal digits to `out` (room for kNumberTextMax); returns their number. No
// terminator.
size_t Int64ToText(int64_t value, char* out);
size_t Uint64ToText(uint64_t value, char* out);

// Shortest text that reads back as the same double, in the form Redis 7.2 prints: integers without
// a point, "inf", "-inf", "nan".
size_t DoubleToText(double value, char* out);

// Fixed notation with 17 digits after the point and trailing zeros cut, as INCRBYFLOAT prints.
// `out` has kLongDoubleTextMax bytes.
size_t LongDoubleToText(long double value, char* out);

inline std::string Int64ToString(int64_t value) {
  char buf[kNumberTextMax];
  return std::string(buf, Int64ToText(value, buf));
}
inline std::string DoubleToString(double value) {
  char buf[kNumberTextMax];
  return std::string(buf, DoubleToText(value, buf));
}

// Text length of an integer, without writing it.
size_t Int64TextSize(int64_t value);

// "1gb", "100mb", "5k", "12" as config files write memory: k m g are powers of 1000, kb mb gb of
// 1024, case ignored.
std::optional<uint64_t> ParseMemory(std::string_view text);

}  // namespace backplane
