// SPDX-License-Identifier: BSD-3-Clause
// Log lines of modules, for the areas that write them.
#pragma once

#include <cstdarg>

namespace backplane {

class Module;

// "<module> text" at the level named; any thread. `module` may be null.
void LogFormatted(const Module* module, const char* level, const char* format, va_list values);

}  // namespace backplane
