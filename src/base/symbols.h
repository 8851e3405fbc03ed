// SPDX-License-Identifier: BSD-3-Clause
// Which function an address of code belongs to, static functions included. The crash report and the
// trial of a module name places in code by it. Any thread; allocates, so a crash handler that calls
// it may hang and must have a time limit.
#pragma once

#include <cstdint>
#include <string>

namespace backplane {

struct CodePlace {
  std::string object;    // path of the file that the code was mapped from; empty: unknown
  std::string function;  // as it stands in the file's symbol table; empty: it does not say
  uint64_t offset = 0;   // from the begin of the function, or of the object without one
};

CodePlace FindCode(const void* address);
// The place of a crash, from the context that its signal handler got: where the processor was, and
// when that is no code (a call of a null pointer), where it was called from.
const void* CrashAddress(const void* signal_context);
// "function+offset (file)"; "?" when nothing is known.
std::string CodePlaceText(const CodePlace& place);

}  // namespace backplane
