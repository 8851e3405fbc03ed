// SPDX-License-Identifier: BSD-3-Clause
// Fuzzer of DUMP payloads: any bytes, with a right footer put behind them, are a value or an error;
// a value can be used, dumped in both versions and restored to one of the same length. Half of the
// inputs go in without that footer.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/crc64.h"
#include "keyspace/keyspace.h"
#include "persist/dump_payload.h"

namespace {

using backplane::Entry;
using backplane::Keyspace;

// A block of exactly this size: ASan guards its end.
const Entry* Restore(std::string_view payload, Keyspace& keyspace) {
  const auto exact = std::make_unique<char[]>(payload.size());
  payload.copy(exact.get(), payload.size());
  std::string scratch;
  const auto content =
      backplane::ParseDumpPayload({exact.get(), payload.size()}, {"key", 0, keyspace}, &scratch);
  if (!content) return nullptr;
  BP_ASSERT(keyspace.db(0).Load("key", *content, -1, 0));
  return keyspace.db(0).Peek("key");
}

uint64_t Length(const Entry& entry) {
  return entry.is_string() ? entry.string_size() : entry.value().length();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string payload(reinterpret_cast<const char*>(data) + 1, size - 1);
  if ((data[0] & 1) == 0) {
    payload.push_back('\x0b');
    payload.push_back('\0');
    const uint64_t crc = backplane::Crc64(0, payload);
    payload.append(reinterpret_cast<const char*>(&crc), sizeof(crc));
  }
  Keyspace keyspace(1);
  const Entry* entry = Restore(payload, keyspace);
  if (entry == nullptr) return 0;
  BP_ASSERT(entry->MemoryUsage(0) > 0);
  if (!entry->is_string()) {
    // A stream may be empty.
    BP_ASSERT(entry->value().length() > 0 || entry->type() == backplane::TypeId::kStream);
    BP_ASSERT(entry->value().Clone()->length() == entry->value().length());
  }
  for (const int version : {10, 11}) {
    Keyspace again(1);
    const Entry* copy =
        Restore(backplane::CreateDumpPayload(*entry, version, version == 11), again);
    BP_ASSERT(copy != nullptr);
    BP_ASSERT(copy->type() == entry->type());
    BP_ASSERT(Length(*copy) == Length(*entry));
  }
  return 0;
}
