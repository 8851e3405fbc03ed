// SPDX-License-Identifier: BSD-3-Clause
// StreamId: the name and the order of a stream's entry. A plain value: any thread.
//
//   text   = ms [ "-" seq ]                    both decimal, 64 bits, no sign
//   bytes  = ms:u64 seq:u64                    big endian, so that the order of bytes is theirs
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace backplane {

struct StreamId {
  uint64_t ms = 0;
  uint64_t seq = 0;

  friend auto operator<=>(const StreamId&, const StreamId&) = default;

  static constexpr size_t kBytes = 16;
  // "18446744073709551615-18446744073709551615".
  static constexpr size_t kTextMax = 41;

  // Writes the text to `out`, which has room for kTextMax; returns its length.
  size_t WriteText(char* out) const;
  std::string ToString() const;
  void WriteBytes(char* out) const;
  static StreamId FromBytes(const char* in);

  // The neighbour; nullopt beyond the largest and the smallest.
  std::optional<StreamId> Next() const;
  std::optional<StreamId> Previous() const;
};

inline constexpr StreamId kStreamIdMin{0, 0};
inline constexpr StreamId kStreamIdMax{UINT64_MAX, UINT64_MAX};

// An id as text; `missing_seq` stands for a sequence that is left out. nullopt if it is none.
std::optional<StreamId> ParseStreamId(std::string_view text, uint64_t missing_seq,
                                      bool* seq_given = nullptr);

}  // namespace backplane
