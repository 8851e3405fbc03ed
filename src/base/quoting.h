// SPDX-License-Identifier: BSD-3-Clause
// Quoted words on a line, as Redis has them in inline requests, configuration files and what it
// prints about arguments. Used by the inline request parser, config files, CONFIG REWRITE, CLIENT
// LIST, MONITOR. Pure; any thread.
//
//   line   = { blank | word }
//   word   = { byte } [ double | single ]    behind the closing quote: a blank, or the end
//   double = '"' { byte | escape } '"'
//   single = "'" { byte | "\'" } "'"         a backslash is special before a single quote only
//   escape = "\x" hex hex | "\n" | "\r" | "\t" | "\b" | "\a" | "\" byte (that byte)
//
// Between words any of C's isspace is a blank; inside a bare word only space, tab, CR and LF end
// it. Every byte is allowed, NUL too.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace backplane {

// Takes a line apart word by word without copying the words that need no unquoting.
class WordReader {
 public:
  enum class Word {
    kNone,        // the line is at its end
    kPlain,       // *plain is the word, a view into the line
    kQuoted,      // the word had quotes: its text was appended to *unquoted
    kUnbalanced,  // a quote is not closed, or goes on after its close; stop
  };

  // `line` outlives the reader.
  explicit WordReader(std::string_view line) : line_(line) {}

  // Appends to *unquoted never more bytes than the line has: a caller that reserved line.size()
  // may keep views into it from word to word.
  Word Next(std::string_view* plain, std::string* unquoted);

 private:
  bool ReadDouble(std::string* out);
  bool ReadSingle(std::string* out);
  // True when a closing quote at position_ - 1 is followed by a blank or the end.
  bool AtWordEnd() const;

  std::string_view line_;
  size_t position_ = 0;
};

// All words of a line, unquoted. Error (kInvalidArgument): unbalanced quotes.
Result<std::vector<std::string>> SplitArgs(std::string_view line);

// `text` in double quotes with escapes, so that SplitArgs gives it back: printable ASCII as it is,
// \\ \" \n \r \t \a \b, \xhh for the rest.
std::string QuoteArg(std::string_view text);
// The same, appended to *out.
void AppendQuoted(std::string_view text, std::string* out);

}  // namespace backplane
