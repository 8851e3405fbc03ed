// SPDX-License-Identifier: BSD-3-Clause
// Glob patterns with the meaning that KEYS, SCAN MATCH, PSUBSCRIBE, CONFIG GET and ACL rules give
// them. Pure; any thread.
//
//   pattern = { "*" | element }        "*": any bytes, none too
//   element = "?"                      any byte
//           | "\" byte                 that byte
//           | "[" [ "^" ] { item } "]" one of the items; with "^" none of them
//           | byte
//   item    = "\" byte | byte "-" byte | byte       a range may be written backwards
//
// The whole text must match. Bytes, not characters. Forms that look broken have a meaning: a class
// that is not closed ends with the pattern, "\" at the very end is itself, "[]" matches nothing and
// "[^]" any byte, "]" may be the end of a range ("[a-]"). As in Redis, the empty text is matched by
// the empty pattern only, not by "*"; KEYS and the SCANs take "*" alone as "no pattern" before they
// come here.
#pragma once

#include <string_view>

namespace backplane {

// Time at most proportional to pattern size times text size, however many stars.
bool GlobMatch(std::string_view pattern, std::string_view text, bool ignore_case = false);

// True when `pattern` can match one text only, itself: it has none of * ? [ \.
bool IsGlobLiteral(std::string_view pattern);

}  // namespace backplane
