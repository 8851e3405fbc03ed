// SPDX-License-Identifier: BSD-3-Clause
// Fuzzes the loader of streams (RDB types 15, 19, 21): what it takes in must be walked both ways,
// trimmed, appended to, claimed from, copied and saved without a wrong step, and what was saved
// must load again as the same bytes. The first byte of the input says which type.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "value/load_support.h"
#include "value/rdb_test_support.h"
#include "value/stream_value.h"

using namespace backplane;

namespace {

// Reading words costs more than a fuzzer's round has; so many are enough.
constexpr int kEntriesMax = 1000;

void Walk(const StreamValue& stream, bool reverse) {
  StreamReader reader(stream.log(), kStreamIdMin, kStreamIdMax, reverse);
  ItemText scratch;
  Item field;
  Item value;
  for (int i = 0; i < kEntriesMax && reader.Next(); ++i) {
    while (reader.NextField(&field, &value)) {
      if (field.Text(scratch).size() > Listpack::kMaxBytes) std::abort();
      if (value.Text(scratch).size() > Listpack::kMaxBytes) std::abort();
    }
  }
}

void UseGroups(StreamValue& stream) {
  for (const auto& [name, group] : stream.groups()) {
    stream.LagOf(*group);
    StreamConsumer* consumer = group->AddConsumer("fuzzer", 1);
    const auto& pending = group->pending();
    if (!pending.empty()) {
      group->Assign(pending.At(pending.Begin()).id, consumer);
      group->Acknowledge(pending.At(pending.Last()).id);
    }
    if (group->RemoveConsumer(consumer) > 1) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  constexpr uint8_t kTypes[] = {rdb::kStream, rdb::kStream2, rdb::kStream3};
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  auto loaded = testing_support::LoadFromString(kTypes[data[0] % 3], body);
  if (!loaded.has_value()) return 0;
  auto& stream = static_cast<StreamValue&>(**loaded);
  Walk(stream, false);
  Walk(stream, true);
  stream.log().RadixNodeCount();
  const std::string saved = testing_support::SaveToString(stream);
  auto again = testing_support::LoadFromString(rdb::kStream3, saved);
  if (!again.has_value() || testing_support::SaveToString(**again) != saved) std::abort();
  UseGroups(stream);
  if (const auto id = stream.NextId(1)) {
    const std::string_view words[] = {"field", "value"};
    stream.Append(*id, words, {});
  }
  stream.Trim({.by = StreamTrim::By::kLength, .max_length = 2});
  StreamId first;
  if (stream.log().FirstId(&first)) stream.Erase(first);
  return 0;
}
