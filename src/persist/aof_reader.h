// SPDX-License-Identifier: BSD-3-Clause
// AofReader: the commands of an append-only file, one after the other (grammar: aof_format.h).
// Strict: a byte that the grammar does not have is an error, and a length that promises more than
// the file can hold is an end that came too early, before anything is allocated for it. Used by the
// AOF loader and the fuzzer. One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "persist/byte_source.h"

namespace backplane {

class AofReader {
 public:
  enum class Outcome : uint8_t {
    kCommand,
    kEnd,        // behind a whole command, or a note
    kTruncated,  // within one
    kBad,        // the bytes contradict the format
    kIoError,    // the file cannot be read; source().error() says why
  };

  // Begins where the source stands. `source` outlives the reader.
  explicit AofReader(ByteSource& source) : source_(source) { source.set_checksum(false); }

  // kCommand: *args holds its words, one at least, valid until the next call.
  Outcome Next(std::vector<std::string_view>* args);
  // Where the command of the last Next begins; after kEnd and kTruncated: the end of what is whole.
  uint64_t begin() const { return begin_; }

 private:
  Outcome ReadCommand(std::vector<std::string_view>* args);
  Outcome SkipNote();
  // "<digits>\r\n" without a sign or leading zeros, up to 18 digits.
  Outcome ReadNumber(uint64_t* number);
  Outcome ReadByte(char* byte);
  Outcome ReadLineEnd();
  // Why Take has failed.
  Outcome Ended() const { return source_.error() != 0 ? Outcome::kIoError : Outcome::kTruncated; }

  ByteSource& source_;
  uint64_t begin_ = 0;
  std::string bytes_;
  std::vector<size_t> ends_;
};

}  // namespace backplane
