// SPDX-License-Identifier: BSD-3-Clause
// What the RDB loaders of the value types share: the type bytes, errors, bounds on announced
// counts, and nested compact encodings made into listpacks. Thread as ValueReader.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "value/listpack.h"
#include "value/serial.h"

namespace backplane {

// RDB type bytes of the built-in aggregate types.
namespace rdb {
inline constexpr uint8_t kList = 1;
inline constexpr uint8_t kSet = 2;
inline constexpr uint8_t kZSet = 3;
inline constexpr uint8_t kHash = 4;
inline constexpr uint8_t kZSet2 = 5;
inline constexpr uint8_t kHashZipmap = 9;
inline constexpr uint8_t kListZiplist = 10;
inline constexpr uint8_t kSetIntset = 11;
inline constexpr uint8_t kZSetZiplist = 12;
inline constexpr uint8_t kHashZiplist = 13;
inline constexpr uint8_t kListQuicklist = 14;
inline constexpr uint8_t kHashListpack = 16;
inline constexpr uint8_t kZSetListpack = 17;
inline constexpr uint8_t kListQuicklist2 = 18;
inline constexpr uint8_t kSetListpack = 20;
inline constexpr uint8_t kStream = 15;
inline constexpr uint8_t kStream2 = 19;
inline constexpr uint8_t kStream3 = 21;
}  // namespace rdb

// The first RDB version that knows kSetListpack.
inline constexpr int kRdbVersionSetListpack = 11;
// The first one that knows kStream3.
inline constexpr int kRdbVersionStream3 = 11;

std::unexpected<Error> Corrupt(const char* what);

// Reads a count of things that take at least `min_bytes` each. Errors: more than can follow.
Result<uint64_t> ReadCount(ValueReader& reader, size_t min_bytes);

// The listpack that `bytes` are, checked to the last element.
Result<Listpack> ListpackFromBytes(std::string_view bytes);
// The elements of a ziplist (a zipmap: field, value, ...) as a listpack.
Result<Listpack> ListpackFromZiplist(std::string_view bytes);
Result<Listpack> ListpackFromZipmap(std::string_view bytes);

// Is every (step)th element, from the first on, different from the others? Linear in the elements.
bool ElementsAreDistinct(const Listpack& pack, uint32_t step);

}  // namespace backplane
