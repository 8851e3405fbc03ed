// SPDX-License-Identifier: BSD-3-Clause
// The bytes of an append-only file, and how they are made; AofReader takes them apart. Any thread.
//
//   base.rdb  = RDB                        rdb_format.h; its AUX field aof-base is 1
//   base.aof  = { item }
//   incr.aof  = { item }
//   old file  = [ RDB ] { item }           of the form of one file
//   item      = command | note
//   command   = "*" count CRLF count * ( "$" size CRLF bytes CRLF )
//   note      = "#" text LF                "#TS:" Unix seconds CRLF: what follows is of then
//
// Commands begin in database 0; SELECT stands where it changes. What belongs together stands
// between MULTI and EXEC and counts as a whole or not at all.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace backplane {

// Appends the command.
void AppendAofCommand(std::span<const std::string_view> args, std::string* out);
// Appends the note of a time.
void AppendAofTimestamp(int64_t unix_seconds, std::string* out);

}  // namespace backplane
