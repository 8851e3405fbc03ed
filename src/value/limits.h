// SPDX-License-Identifier: BSD-3-Clause
// EncodingLimits: up to which size the compact encodings are kept, as the configuration says it.
// Operations that can change an encoding take it by reference; nothing reads it from a global.
#pragma once

#include <cstddef>
#include <cstdint>

namespace backplane {

// Field names are the configuration's; defaults are those of 7.2.
struct EncodingLimits {
  size_t hash_max_listpack_entries = 512;
  size_t hash_max_listpack_value = 64;  // bytes
  // Elements in a node if positive; -1 .. -5: 4, 8, 16, 32, 64 KiB.
  int list_max_listpack_size = -2;
  // Elements of this many bytes stand in a node of their own whatever the size class says.
  size_t list_packed_threshold = size_t{1} << 30;
  size_t set_max_intset_entries = 512;
  size_t set_max_listpack_entries = 128;
  size_t set_max_listpack_value = 64;  // bytes
  size_t zset_max_listpack_entries = 128;
  size_t zset_max_listpack_value = 64;  // bytes
  // A node of a stream takes no more entries from there on; 0: no limit.
  size_t stream_node_max_bytes = 4096;
  uint64_t stream_node_max_entries = 100;
  size_t hll_sparse_max_bytes = 3000;  // with the header
};

}  // namespace backplane
