// SPDX-License-Identifier: BSD-3-Clause
// API area: digests of values, for DEBUG DIGEST.
#include "modhost/digest.h"

#include <cstring>

#include "base/numbers.h"
#include "base/sha1.h"
#include "modhost/api/areas.h"
#include "modhost/api_table.h"

namespace backplane {
namespace {

struct Sha1Bytes {
  unsigned char bytes[20];
};

Sha1Bytes Sha1(std::string_view text) {
  const std::string hex = Sha1Hex(text);
  auto digit = [&](size_t i) { return hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10; };
  Sha1Bytes out;
  for (size_t i = 0; i < sizeof(out.bytes); ++i) {
    out.bytes[i] = static_cast<unsigned char>(digit(2 * i) * 16 + digit(2 * i + 1));
  }
  return out;
}

void Mix(RedisModuleDigest* md, std::string_view element) {
  const Sha1Bytes hash = Sha1(element);
  for (size_t i = 0; i < sizeof(md->ordered); ++i) md->ordered[i] ^= hash.bytes[i];
  const Sha1Bytes mixed = Sha1({reinterpret_cast<const char*>(md->ordered), sizeof(md->ordered)});
  std::memcpy(md->ordered, mixed.bytes, sizeof(md->ordered));
}

void DigestAddStringBuffer(RedisModuleDigest* md, const char* ele, size_t len) {
  Mix(md, {ele, len});
}

void DigestAddLongLong(RedisModuleDigest* md, long long ele) {
  char text[kNumberTextMax];
  Mix(md, {text, Int64ToText(ele, text)});
}

void DigestEndSequence(RedisModuleDigest* md) {
  for (size_t i = 0; i < sizeof(md->ordered); ++i) md->unordered[i] ^= md->ordered[i];
  std::memset(md->ordered, 0, sizeof(md->ordered));
}

const RedisModuleString* GetKeyNameFromDigest(RedisModuleDigest* dig) { return dig->key; }
int GetDbIdFromDigest(RedisModuleDigest* dig) { return dig->db; }

}  // namespace

void RegisterDigestApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(DigestAddStringBuffer), BACKPLANE_API_ROW(DigestAddLongLong),
      BACKPLANE_API_ROW(DigestEndSequence),     BACKPLANE_API_ROW(GetKeyNameFromDigest),
      BACKPLANE_API_ROW(GetDbIdFromDigest),
  };
  table.Add(rows);
}

}  // namespace backplane
