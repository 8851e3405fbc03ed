// SPDX-License-Identifier: BSD-3-Clause
// Parsing of RESP2 and RESP3 replies: finds where one value ends, and replays it into a ReplySink.
// Used by ReplyTape::RawProtocol, by tests, and where replies of another server are read. Pure; any
// thread.
//
//   reply     = { attribute } value
//   value     = "+" text CRLF | "-" text CRLF | ":" integer CRLF | "$" n CRLF n*byte CRLF
//             | "$-1" CRLF | "*-1" CRLF | "_" CRLF | "#" ( "t" | "f" ) CRLF | "," double CRLF
//             | "(" [ "-" ] digits CRLF | "=" n CRLF 3*byte ":" (n-4)*byte CRLF
//             | "!" n CRLF n*byte CRLF
//             | "*" n CRLF n*reply | "~" n CRLF n*reply | ">" n CRLF n*reply
//             | "%" n CRLF n*( reply reply )
//   attribute = "|" n CRLF n*( reply reply )
//
// An attribute belongs to the value behind it and is not counted as an element. A blob error ("!")
// is replayed as an error. RESP3's streamed forms ("$?", "*?") are not accepted. Nesting is
// limited, and the memory used does not depend on the counts that the bytes announce.
#pragma once

#include <cstddef>
#include <string_view>

#include "resp/reply_sink.h"

namespace backplane {

enum class ReplyStatus {
  kWhole,
  kIncomplete,  // a proper beginning; more bytes are needed
  kMalformed,
  kTooDeep,  // aggregates within aggregates beyond kReplyDepthMax
};

inline constexpr int kReplyDepthMax = 64;

// Looks at the value (its attributes included) at the front of `bytes`. On kWhole *size is its size
// in bytes, otherwise *size is left alone. Nothing that was seen to be malformed becomes proper
// with more bytes.
ReplyStatus MeasureReply(std::string_view bytes, size_t* size);

// Replays the value at the front of `bytes` into `sink`, whole or not at all; *size as above.
// Attributes are left out when the sink's protocol is RESP2.
ReplyStatus ParseReply(std::string_view bytes, ReplySink& sink, size_t* size);

}  // namespace backplane
