// SPDX-License-Identifier: BSD-3-Clause
// Error texts with parts.
#include "command/errors.h"

#include "base/ascii.h"

namespace backplane::errors {

std::string WrongArity(std::string_view fullname) {
  return "ERR wrong number of arguments for '" + std::string(fullname) + "' command";
}

std::string ShownArg(std::string_view arg) { return std::string(arg.substr(0, arg.find('\0'))); }

std::string UnknownSubcommand(std::string_view subcommand, std::string_view command) {
  constexpr size_t kShown = 128;
  return "ERR unknown subcommand '" + ShownArg(subcommand.substr(0, kShown)) + "'. Try " +
         ToUpper(command) + " HELP.";
}

std::string SubcommandSyntax(std::string_view subcommand, std::string_view command) {
  constexpr size_t kShown = 128;
  return "ERR unknown subcommand or wrong number of arguments for '" +
         ShownArg(subcommand.substr(0, kShown)) + "'. Try " + ToUpper(command) + " HELP.";
}

}  // namespace backplane::errors
