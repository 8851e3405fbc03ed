// SPDX-License-Identifier: BSD-3-Clause
// Number parsing and printing; see numbers.h for the contracts.
#include "base/numbers.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/ascii.h"

namespace backplane {
namespace {

constexpr char kDigitPairs[] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546"
    "4748495051"
    "52535455565758596061626364656667686970717273747576777879808182838485868788899091929394959697"
    "9899";

size_t DigitCount(uint64_t value) {
  size_t n = 1;
  for (;;) {
    if (value < 10) return n;
    if (value < 100) return n + 1;
    if (value < 1000) return n + 2;
    if (value < 10000) return n + 3;
    value /= 10000;
    n += 4;
  }
}

// Calls a strto* function on a NUL-terminated copy; true when the whole text was read.
template <class T>
std::optional<T> ParseFloating(std::string_view text, T (*parse)(const char*, char**)) {
  char few[256];
  std::string many;
  if (text.empty() || text.size() >= kLongDoubleTextMax || IsAsciiSpace(text[0]))
    return std::nullopt;
  const char* begin = few;
  if (text.size() < sizeof(few)) {
    std::memcpy(few, text.data(), text.size());
    few[text.size()] = '\0';
  } else {
    many = text;
    begin = many.c_str();
  }
  char* end = nullptr;
  errno = 0;
  T value = parse(begin, &end);
  if (end != begin + text.size() || std::isnan(value)) return std::nullopt;
  if (errno == ERANGE && (value == HUGE_VAL || value == -HUGE_VAL || value == 0))
    return std::nullopt;
  return value;
}

}  // namespace

std::optional<uint64_t> ParseUint64(std::string_view text) {
  if (text.empty() || text.size() > 20) return std::nullopt;
  if (text[0] == '0') return text.size() == 1 ? std::optional<uint64_t>(0) : std::nullopt;
  uint64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    uint64_t digit = static_cast<uint64_t>(c - '0');
    if (value > (std::numeric_limits<uint64_t>::max() - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

std::optional<int64_t> ParseInt64(std::string_view text) {
  if (text.empty() || text.size() > 20) return std::nullopt;
  bool negative = text[0] == '-';
  if (negative) {
    text.remove_prefix(1);
    if (text.empty() || text[0] == '0') return std::nullopt;
  }
  if (text[0] == '0') return text.size() == 1 ? std::optional<int64_t>(0) : std::nullopt;
  uint64_t value = 0;
  if (text.size() <= 18) {  // cannot overflow
    for (char c : text) {
      unsigned digit = static_cast<unsigned char>(c) - '0';
      if (digit > 9) return std::nullopt;
      value = value * 10 + digit;
    }
  } else {
    auto parsed = ParseUint64(text);
    if (!parsed) return std::nullopt;
    value = *parsed;
  }
  constexpr uint64_t kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (negative) {
    if (value > kMax + 1) return std::nullopt;
    return static_cast<int64_t>(0 - value);
  }
  if (value > kMax) return std::nullopt;
  return static_cast<int64_t>(value);
}

std::optional<double> ParseDouble(std::string_view text) {
  return ParseFloating<double>(text, std::strtod);
}

std::optional<long double> ParseLongDouble(std::string_view text) {
  return ParseFloating<long double>(text, std::strtold);
}

size_t Uint64ToText(uint64_t value, char* out) {
  size_t length = DigitCount(value);
  char* p = out + length;
  while (value >= 100) {
    p -= 2;
    std::memcpy(p, kDigitPairs + (value % 100) * 2, 2);
    value /= 100;
  }
  if (value >= 10) {
    std::memcpy(p - 2, kDigitPairs + value * 2, 2);
  } else {
    p[-1] = static_cast<char>('0' + value);
  }
  return length;
}

size_t Int64ToText(int64_t value, char* out) {
  if (value >= 0) return Uint64ToText(static_cast<uint64_t>(value), out);
  *out = '-';
  return 1 + Uint64ToText(0 - static_cast<uint64_t>(value), out + 1);
}

size_t Int64TextSize(int64_t value) {
  return value >= 0 ? DigitCount(static_cast<uint64_t>(value))
                    : 1 + DigitCount(0 - static_cast<uint64_t>(value));
}

namespace {

// Lays out shortest digits the way Redis 7.2 shows them: plain while short, "d.ddde+XX" otherwise.
// `point` is the decimal exponent of the last digit (value = digits * 10^point).
size_t LayOutDigits(const char* digits, int count, int point, char* out) {
  char* p = out;
  int exponent = std::abs(point + count - 1);
  if (point >= 0 && exponent < count + 7) {
    std::memcpy(p, digits, static_cast<size_t>(count));
    std::memset(p + count, '0', static_cast<size_t>(point));
    return static_cast<size_t>(count + point);
  }
  if (point < 0 && (point > -7 || exponent < 4)) {
    int whole = count + point;
    if (whole <= 0) {
      *p++ = '0';
      *p++ = '.';
      std::memset(p, '0', static_cast<size_t>(-whole));
      p += -whole;
      std::memcpy(p, digits, static_cast<size_t>(count));
      p += count;
    } else {
      std::memcpy(p, digits, static_cast<size_t>(whole));
      p += whole;
      *p++ = '.';
      std::memcpy(p, digits + whole, static_cast<size_t>(count - whole));
      p += count - whole;
    }
    return static_cast<size_t>(p - out);
  }
  *p++ = digits[0];
  if (count > 1) {
    *p++ = '.';
    std::memcpy(p, digits + 1, static_cast<size_t>(count - 1));
    p += count - 1;
  }
  *p++ = 'e';
  *p++ = point + count - 1 < 0 ? '-' : '+';
  p += Uint64ToText(static_cast<uint64_t>(exponent), p);
  return static_cast<size_t>(p - out);
}

}  // namespace

size_t DoubleToText(double value, char* out) {
  if (std::isnan(value)) return std::memcpy(out, "nan", 3), 3;
  if (std::isinf(value)) {
    return value < 0 ? (std::memcpy(out, "-inf", 4), 4) : (std::memcpy(out, "inf", 3), 3);
  }
  if (value == 0) return std::signbit(value) ? (std::memcpy(out, "-0", 2), 2) : (*out = '0', 1);
  constexpr double kIntegerForm =
      4611686018427387904.0;  // 2^62: whole doubles below it are printed as integers
  if (value > -kIntegerForm && value < kIntegerForm &&
      value == static_cast<double>(static_cast<int64_t>(value))) {
    return Int64ToText(static_cast<int64_t>(value), out);
  }
  char text[64];
  auto end =
      std::to_chars(text, text + sizeof(text), std::fabs(value), std::chars_format::scientific);
  char digits[32];
  int count = 0;
  const char* p = text;
  for (; p < end.ptr && *p != 'e'; ++p) {
    if (*p != '.') digits[count++] = *p;
  }
  int exponent = 0;
  const char* first = p + 1 + (p[1] == '+' ? 1 : 0);
  std::from_chars(first, end.ptr, exponent);
  size_t sign = 0;
  if (value < 0) out[sign++] = '-';
  return sign + LayOutDigits(digits, count, exponent - (count - 1), out + sign);
}

size_t LongDoubleToText(long double value, char* out) {
  if (std::isinf(value)) {
    return value < 0 ? (std::memcpy(out, "-inf", 4), 4) : (std::memcpy(out, "inf", 3), 3);
  }
  int written = std::snprintf(out, kLongDoubleTextMax, "%.17Lf", value);
  size_t length = static_cast<size_t>(written);
  if (std::memchr(out, '.', length) != nullptr) {
    while (out[length - 1] == '0') --length;
    if (out[length - 1] == '.') --length;
  }
  if (length == 2 && out[0] == '-' && out[1] == '0') {
    out[0] = '0';
    length = 1;
  }
  return length;
}

std::optional<uint64_t> ParseMemory(std::string_view text) {
  size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  if (digits == 0) return std::nullopt;
  uint64_t value = 0;
  auto parsed = std::from_chars(text.data(), text.data() + digits, value);
  if (parsed.ec != std::errc()) return std::nullopt;
  std::string unit = ToLower(text.substr(digits));
  struct Unit {
    std::string_view name;
    uint64_t factor;
  };
  constexpr std::array<Unit, 8> kUnits = {{{"", 1},
                                           {"b", 1},
                                           {"k", 1000},
                                           {"kb", 1024},
                                           {"m", 1000 * 1000},
                                           {"mb", 1024 * 1024},
                                           {"g", 1000ull * 1000 * 1000},
                                           {"gb", 1024ull * 1024 * 1024}}};
  for (const Unit& u : kUnits) {
    if (unit != u.name) continue;
    if (value > std::numeric_limits<uint64_t>::max() / u.factor) return std::nullopt;
    return value * u.factor;
  }
  return std::nullopt;
}

}  // namespace backplane
