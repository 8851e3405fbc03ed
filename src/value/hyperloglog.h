// SPDX-License-Identifier: BSD-3-Clause
// HyperLogLog: counting distinct elements in a string, as PFADD stores it. Strings are exchanged
// with Redis, so every byte is as there.
//
//   string   = "HYLL" encoding 00 00 00 count registers
//   encoding = 00 (dense) | 01 (sparse)
//   count    = 8 bytes, little endian: the last estimate; its top bit says that it is out of date
//   dense    = 16384 registers of 6 bits, the lowest bits of a byte first: 12288 bytes
//   sparse   = runs of equal registers, one after the other, 16384 in all:
//              00xxxxxx           x + 1 registers of 0
//              01xxxxxx yyyyyyyy  xy + 1 registers of 0
//              1vvvvvxx           x + 1 registers of v + 1
//
// Nothing here trusts its input. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace backplane::hyperloglog {

inline constexpr size_t kRegisters = 16384;
inline constexpr size_t kHeaderBytes = 16;
inline constexpr size_t kDenseBytes = kHeaderBytes + kRegisters * 6 / 8;

using Registers = std::array<uint8_t, kRegisters>;

// An empty one, sparse.
std::string New();
// Whether the header is that of a HyperLogLog, and a dense one has its size.
bool IsValid(std::string_view bytes);
// The functions below REQUIRE that.
bool IsSparse(std::string_view bytes);

// The register that an element counts in, and the rank with which it does: from 1 to 51.
struct Place {
  uint32_t index;
  uint8_t rank;
};
Place PlaceOf(std::string_view element);

// The register's value in a dense string.
uint8_t DenseRegister(std::string_view bytes, uint32_t index);

enum class Added : uint8_t { kNo, kYes, kCorrupt };
// The register becomes the rank if that is more. Neither touches the count.
Added AddToDense(char* bytes, Place place);
// The string becomes dense when the rank does not fit, or when it would get longer than
// `sparse_bytes_max`.
Added AddToSparse(std::string* bytes, Place place, size_t sparse_bytes_max);
// Whether AddToSparse would change it: the register's value, or nullopt if it is corrupt.
std::optional<uint8_t> SparseRegister(std::string_view bytes, uint32_t index);

// The dense form; nullopt if it is corrupt.
std::optional<std::string> ToDense(std::string_view bytes);
// Each of `registers` becomes the register's value if that is more. False if it is corrupt.
bool MergeInto(std::string_view bytes, Registers* registers);
uint64_t Estimate(const Registers& registers);

// The stored estimate, if it is up to date.
std::optional<uint64_t> CachedCount(std::string_view bytes);
void SetCachedCount(char* bytes, uint64_t count);
void InvalidateCount(char* bytes);

// The runs in words, for PFDEBUG: "z:n", "Z:n" if it takes two bytes, "v:value,n"; nullopt if it is
// corrupt.
std::optional<std::string> DescribeSparse(std::string_view bytes);

}  // namespace backplane::hyperloglog
