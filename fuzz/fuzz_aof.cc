// SPDX-License-Identifier: BSD-3-Clause
// Fuzzer of the append-only file's two formats: any bytes are commands up to a place, or an error;
// what was read is written as it was. Any bytes are a manifest that is written as it was, or an
// error.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "persist/aof_format.h"
#include "persist/aof_manifest.h"
#include "persist/aof_reader.h"

namespace {

using backplane::AofManifest;
using backplane::AofReader;

void ReadCommands(std::string_view bytes) {
  backplane::MemorySource source(bytes);
  AofReader reader(source);
  std::vector<std::string_view> args;
  uint64_t end = 0;
  AofReader::Outcome outcome;
  while ((outcome = reader.Next(&args)) == AofReader::Outcome::kCommand) {
    BP_ASSERT(!args.empty() && reader.begin() >= end);
    end = source.offset();
    std::string again;
    backplane::AppendAofCommand(args, &again);
    BP_ASSERT(again == bytes.substr(reader.begin(), end - reader.begin()));
  }
  BP_ASSERT(outcome != AofReader::Outcome::kIoError);
  BP_ASSERT(reader.begin() >= end && reader.begin() <= bytes.size());
  BP_ASSERT(outcome != AofReader::Outcome::kEnd || reader.begin() == bytes.size());
}

void ReadManifest(std::string_view bytes) {
  auto manifest = AofManifest::Parse(bytes);
  if (!manifest) return;
  const std::string text = manifest->Text();
  auto again = AofManifest::Parse(text);
  if (!again) {
    // Quotes made a line too long.
    BP_ASSERT(again.error().message == "The AOF manifest file contains too long line");
    return;
  }
  BP_ASSERT(again->Text() == text);
  BP_ASSERT(again->base_seq == manifest->base_seq && again->incr_seq == manifest->incr_seq);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ReadCommands(bytes);
  ReadManifest(bytes);
  return 0;
}
