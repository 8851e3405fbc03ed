// SPDX-License-Identifier: BSD-3-Clause
// The numbers of the RDB format, and its grammar. Everything in persist/ that reads or writes RDB
// bytes takes them from here; the bodies of aggregate values belong to value/ (load_support.h), the
// body of a module value to value/dormant_value.h. docs/formats/rdb.md explains with an example.
// Constants only: any thread.
//
//   file      = "REDIS" version { field } EOF [crc64]        crc64 since version 5, little endian;
//   version   = 4 decimal digits, "0001" to "0011"           0: not computed
//   field     = AUX string string
//             | MODULE_AUX id length(2) length(when) body     when: 1 before the keys, 2 after them
//             | FUNCTION2 string                              a function library's source
//             | FUNCTION_PRE_GA string string length(0 | 1) [ string ] string
//             | SELECTDB length
//             | RESIZEDB length length                        keys, keys with a TTL
//             | SLOT_INFO length length length                a hint, skipped
//             | key
//   key       = { EXPIRETIME seconds(4) | EXPIRETIME_MS ms(8) | IDLE length | FREQ byte }
//               type string body                              numbers little endian
//   payload   = type body version(2) crc64(8)                 DUMP; little endian; crc64 of all
//   before
//
//   length    = 00xxxxxx | 01xxxxxx byte | 10000000 4 bytes | 10000001 8 bytes      big endian
//   string    = length bytes | 11000000 int8 | 11000001 int16 | 11000010 int32      little endian
//             | 11000011 length(packed size) length(plain size) LZF bytes
//
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace backplane::rdb {

inline constexpr std::string_view kMagic = "REDIS";
inline constexpr size_t kHeaderSize = 9;  // magic and version
inline constexpr int kVersionMax = 11;    // the newest that we read, and what we write by default
inline constexpr int kVersionMin = 10;    // the oldest that we write
inline constexpr int kVersionChecksum = 5;

enum Opcode : uint8_t {
  kSlotInfo = 244,
  kFunction2 = 245,
  kFunctionPreGa = 246,
  kModuleAux = 247,
  kIdle = 248,
  kFreq = 249,
  kAux = 250,
  kResizeDb = 251,
  kExpireTimeMs = 252,
  kExpireTime = 253,
  kSelectDb = 254,
  kEof = 255,
};

// Type bytes of values that no aggregate of value/ reads.
inline constexpr uint8_t kTypeString = 0;
inline constexpr uint8_t kTypeModule1 = 6;
inline constexpr uint8_t kTypeModule2 = 7;

inline constexpr uint64_t kModuleOpcodeUint = 2;  // in front of MODULE_AUX's `when`
inline constexpr int kAuxBeforeKeys = 1;
inline constexpr int kAuxAfterKeys = 2;

// First byte of a length: the top two bits.
inline constexpr uint8_t kLength6 = 0x00;
inline constexpr uint8_t kLength14 = 0x40;
inline constexpr uint8_t kLength32 = 0x80;
inline constexpr uint8_t kLength64 = 0x81;
inline constexpr uint8_t kEncoded = 0xC0;
inline constexpr uint8_t kEncodedInt8 = 0xC0;
inline constexpr uint8_t kEncodedInt16 = 0xC1;
inline constexpr uint8_t kEncodedInt32 = 0xC2;
inline constexpr uint8_t kEncodedLzf = 0xC3;

// Text doubles (type 3): these length bytes are the value itself.
inline constexpr uint8_t kTextNan = 253;
inline constexpr uint8_t kTextInfinity = 254;
inline constexpr uint8_t kTextMinusInfinity = 255;

inline constexpr size_t kIntegerTextMax = 11;  // "-2147483648": longer texts are never integers
inline constexpr size_t kCompressAbove = 20;   // shorter strings are not worth a try
// A reference of three LZF bytes becomes at most 264: no packed string grows more than this.
inline constexpr uint64_t kLzfRatioMax = 88;

inline constexpr size_t kPayloadFooterSize = 10;  // version and checksum

}  // namespace backplane::rdb
