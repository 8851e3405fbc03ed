// SPDX-License-Identifier: BSD-3-Clause
// AofManifest: which files the append-only file is made of. It stands in the folder of these files
// and is replaced as a whole, so it names a complete set at any moment. AppendOnly is the user.
// Any thread.
//
//   manifest = { line }                              one line at least that is no comment
//   line     = ( "#" comment | file ) LF             1024 bytes at most
//   file     = { key " " value } with the keys       words, quoted as base/quoting.h has it
//              file: the name, without a folder
//              seq:  a number from 1 on
//              type: "b" base | "h" history | "i" incr
//              and others, which are passed over
//
// At most one base. The numbers of incr files rise from line to line. What the data are: the base,
// then the incr files in order. History files are not needed any more and about to be removed.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace backplane {

struct AofManifest {
  struct File {
    std::string name;
    int64_t seq = 0;
  };
  enum class BaseForm : uint8_t { kRdb, kCommands };

  std::optional<File> base;
  std::deque<File> history;  // the newest first
  std::vector<File> incrs;   // the oldest first
  // The highest numbers so far.
  int64_t base_seq = 0;
  int64_t incr_seq = 0;

  // kCorrupt: the message tells the line.
  static Result<AofManifest> Parse(std::string_view text);
  // Parse reads it, unless quotes make a line too long.
  std::string Text() const;
  bool empty() const { return !base && incrs.empty(); }

  // Adds the file with the next number and returns it; `prefix` is the option appendfilename. A
  // base that was there becomes history.
  const File& AddBase(const std::string& prefix, BaseForm form);
  const File& AddIncr(const std::string& prefix);
  // All incr files but the `kept` last ones become history.
  void RetireIncrs(size_t kept);
};

}  // namespace backplane
