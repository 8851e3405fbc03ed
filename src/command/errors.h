// SPDX-License-Identifier: BSD-3-Clause
// Error texts that several commands give, exactly as clients know them (code first, no leading
// '-'). Texts of one command stand with that command.
#pragma once

#include <string>
#include <string_view>

namespace backplane::errors {

inline constexpr std::string_view kWrongType =
    "WRONGTYPE Operation against a key holding the wrong kind of value";
inline constexpr std::string_view kSyntax = "ERR syntax error";
inline constexpr std::string_view kNotInteger = "ERR value is not an integer or out of range";
inline constexpr std::string_view kNotFloat = "ERR value is not a valid float";
inline constexpr std::string_view kNoSuchKey = "ERR no such key";
inline constexpr std::string_view kSameObject = "ERR source and destination objects are the same";
inline constexpr std::string_view kIndexOutOfRange = "ERR index out of range";
inline constexpr std::string_view kOutOfRange = "ERR value is out of range";
inline constexpr std::string_view kMustBePositive = "ERR value is out of range, must be positive";
inline constexpr std::string_view kIncrOverflow = "ERR increment or decrement would overflow";
inline constexpr std::string_view kStringTooLong =
    "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
inline constexpr std::string_view kInvalidCursor = "ERR invalid cursor";
inline constexpr std::string_view kMinMaxNotFloat = "ERR min or max is not a float";
inline constexpr std::string_view kMinMaxNotLex = "ERR min or max not valid string range item";
inline constexpr std::string_view kNanScore = "ERR resulting score is not a number (NaN)";
inline constexpr std::string_view kIncrNan = "ERR increment would produce NaN or Infinity";
inline constexpr std::string_view kDbIndexOutOfRange = "ERR DB index is out of range";
inline constexpr std::string_view kLoading = "LOADING Redis is loading the dataset in memory";
inline constexpr std::string_view kNoAuth = "NOAUTH Authentication required.";
inline constexpr std::string_view kExecAbort =
    "EXECABORT Transaction discarded because of previous errors.";
inline constexpr std::string_view kBusyKey = "BUSYKEY Target key name already exists.";

// An argument as error texts show it: text ends at a NUL byte, as clients know it.
std::string ShownArg(std::string_view arg);
// "ERR wrong number of arguments for 'get' command"
std::string WrongArity(std::string_view fullname);
// "ERR unknown subcommand 'foo'. Try CONFIG HELP."
std::string UnknownSubcommand(std::string_view subcommand, std::string_view command);
// "ERR unknown subcommand or wrong number of arguments for 'foo'. Try CONFIG HELP.": the subcommand
// is known, its arguments make no sense.
std::string SubcommandSyntax(std::string_view subcommand, std::string_view command);

}  // namespace backplane::errors
