// SPDX-License-Identifier: BSD-3-Clause
// One node of a stream: reading and writing the elements of its listpack. Layout in stream_log.h;
// only that file and its reader use this. Engine thread, or the one thread that owns the value.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "value/listpack.h"
#include "value/stream_id.h"

namespace backplane::stream_node {

inline constexpr int64_t kDeleted = 1;
inline constexpr int64_t kSameFields = 2;

// The elements in front of an entry's first field or value.
struct EntryHead {
  StreamId id;
  int64_t flags;
  uint64_t own_fields;      // 0 with kSameFields
  Listpack::Position body;  // the first field or value
};

// How many elements an entry has in front of its last.
inline int64_t ElementsOf(int64_t field_count, bool same_fields) {
  return same_fields ? field_count + 3 : field_count * 2 + 4;
}

// Fills an empty listpack with the head of a node whose only entry has these fields and values.
void WriteHead(Listpack* node, std::span<const std::string_view> words);

// REQUIRES for all below: a node that is valid.
EntryHead ReadEntry(const Listpack& node, Listpack::Position at, StreamId node_id);
// The entry behind, or kNone.
Listpack::Position SkipEntry(const Listpack& node, const EntryHead& entry,
                             uint64_t node_field_count);
// The place of the entry in front of `at` (kNone: in front of the end); kNone at the first.
Listpack::Position EntryBefore(const Listpack& node, Listpack::Position at);
// The id of the last entry, live or not.
StreamId LastEntryId(const Listpack& node, StreamId node_id);

// Is this well-formed listpack a node: heads, counts and ways back as they must be, one live entry
// at least?
bool Validate(const Listpack& node);

}  // namespace backplane::stream_node
