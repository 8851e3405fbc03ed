// SPDX-License-Identifier: BSD-3-Clause
// RequestParser: client bytes to command arguments, zero copy. Used by client connections, the AOF
// loader and the fuzzer. Pure; one per connection; one thread at a time.
//
//   request   = multibulk | inline
//   multibulk = "*" count CRLF { "$" length CRLF bytes CRLF }
//   inline    = words separated by blanks, quoted as base/quoting.h has it, ended by LF or CRLF
//
// As in Redis: a count of zero or less is an empty request; the byte after a header's CR and the
// two bytes after a bulk's bytes are skipped, whatever they are; a NUL before a line's end hides
// that end, so such a line runs into its size limit; numbers are canonical (no "+", no leading
// zero).
//
// Feeding: the caller keeps the unparsed bytes in one contiguous buffer. Parse() looks at `data`,
// whose first byte is the first byte not yet consumed; on kCommand it reports how many bytes the
// request took, and args point into `data`. On kNeedMore nothing is consumed, but the parser
// remembers how far it came (as offsets), so a large request that arrives in pieces is scanned
// once; the next call must pass the same bytes (at any address) with more behind them. Limits:
// every bound has its error text; after kError the connection is to be closed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace backplane {

struct RequestLimits {
  uint64_t bulk_bytes_max = 512ull * 1024 * 1024;  // proto-max-bulk-len
  uint32_t args_max = 2147483647;                  // multibulk count
  size_t inline_bytes_max = 64 * 1024;             // any line: inline request, or a length
  // Before authentication a client may send only this much; 0 switches the limits off.
  uint32_t unauthenticated_args_max = 10;
  uint32_t unauthenticated_bulk_bytes_max = 16 * 1024;
};

class RequestParser {
 public:
  enum class Outcome {
    kCommand,   // args hold a request; may be none (an empty line or "*0"): skip it
    kNeedMore,  // incomplete
    kError,     // error() has the text after "ERR Protocol error: "
  };

  // Appends the request's arguments to *args (which the caller clears) and sets *consumed on
  // kCommand. `authenticated` false applies the tighter limits. Inline arguments that need
  // unquoting point into storage of the parser, valid until the next Parse; see holds_args.
  Outcome Parse(std::string_view data, bool authenticated, const RequestLimits& limits,
                std::vector<std::string_view>* args, size_t* consumed);

  std::string_view error() const { return error_; }
  // After kCommand: some of its args lie in the parser's storage. A caller that parses ahead runs
  // the request before it calls Parse again.
  bool holds_args() const { return holds_args_; }
  // After kNeedMore: total bytes of `data` needed before parsing can go on (a large bulk announces
  // its length), 0 when unknown.
  size_t needed() const { return needed_; }
  // After kNeedMore: how much of `data` has been read, and the bytes of the arguments in it.
  size_t read_bytes() const { return position_; }
  size_t argument_bytes() const;
  // Forgets an incomplete request (the connection starts over) and gives its memory back.
  void Reset();

 private:
  struct Span {
    size_t offset;
    size_t size;
  };
  enum class Line { kWhole, kPartial, kTooLong };

  Outcome ParseInline(std::string_view data, const RequestLimits& limits,
                      std::vector<std::string_view>* args, size_t* consumed);
  Outcome ParseMultibulk(std::string_view data, bool authenticated, const RequestLimits& limits,
                         std::vector<std::string_view>* args, size_t* consumed);
  Outcome ReadCount(std::string_view data, bool authenticated, const RequestLimits& limits);
  Outcome ReadBulkSize(std::string_view data, bool authenticated, const RequestLimits& limits);
  Line FindLineEnd(std::string_view data, char terminator, size_t line_max, size_t* end);
  Outcome FailWith(std::string text);
  void ForgetRequest();

  // How far an incomplete request has been read; all at their initial values while none is.
  std::vector<Span> spans_;  // the bulks that are there
  int64_t args_left_ = -1;   // -1: the count line has not been read
  int64_t bulk_size_ = -1;   // -1: the next bulk's length line has not been read
  size_t position_ = 0;      // next unread byte
  size_t scanned_ = 0;       // no line end before this offset
  size_t needed_ = 0;

  bool holds_args_ = false;
  std::string inline_storage_;
  std::string error_;
};

}  // namespace backplane
