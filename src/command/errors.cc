// SPDX-License-Identifier: BSD-3-Clause
// Error texts with parts.
#include "command/errors.h"

#include "base/ascii.h"

namespace backplane::errors {

std::string WrongArity(std::string_view fullname) {
  return "ERR wrong number of arguments for '" + std::string(fullname) + "' command";
}

std::string UnknownSubcommand(std::string_view subcommand, std::string_view command) {
  constexpr size_t kShown = 128;
  // Text ends at a NUL byte, as clients know it.
  subcommand = subcommand.substr(0, kShown);
  return "ERR unknown subcommand '" + std::string(subcommand.substr(0, subcommand.find('\0'))) +
         "'. Try " + ToUpper(command) + " HELP.";
}

}  // namespace backplane::errors
