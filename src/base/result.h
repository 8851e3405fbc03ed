// SPDX-License-Identifier: BSD-3-Clause
// Result<T>: a value or an Error. Every layer uses it; any thread may. Nothing in the project
// throws across a function that it owns, so a failure that a caller can act on is always visible in
// the signature.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace backplane {

// What kind of failure; callers branch on the code and show the message.
enum class ErrorCode {
  kInvalidArgument,  // the caller (client, file, module) gave something malformed
  kNotFound,
  kWrongType,
  kOutOfRange,
  kCorrupt,  // bytes on disk or wire contradict their format
  kIo,       // the operating system refused
  kAlreadyExists,
  kUnsupported,
  kBusy,
};

struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::kInvalidArgument;
  std::string message;  // one sentence without a final dot, fit for a log line
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> Fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

// Passes an error on, with context in front: "dump.rdb: bad checksum".
inline std::unexpected<Error> Prefix(Error error, const std::string& context) {
  error.message = context + ": " + error.message;
  return std::unexpected(std::move(error));
}

}  // namespace backplane

// Evaluates a Status-returning expression and returns its error from the enclosing function.
#define BP_RETURN_IF_ERROR(expr)                                          \
  do {                                                                    \
    if (auto bp_status_ = (expr); !bp_status_.has_value()) [[unlikely]] { \
      return std::unexpected(std::move(bp_status_).error());              \
    }                                                                     \
  } while (0)

#define BP_CONCAT_INNER_(a, b) a##b
#define BP_CONCAT_(a, b) BP_CONCAT_INNER_(a, b)
// BP_ASSIGN_OR_RETURN(auto x, Compute()): declares x, or returns the error of Compute().
#define BP_ASSIGN_OR_RETURN(decl, expr) \
  BP_ASSIGN_OR_RETURN_IMPL_(BP_CONCAT_(bp_result_, __LINE__), decl, expr)
#define BP_ASSIGN_OR_RETURN_IMPL_(tmp, decl, expr)  \
  auto tmp = (expr);                                \
  if (!tmp.has_value()) [[unlikely]] {              \
    return std::unexpected(std::move(tmp).error()); \
  }                                                 \
  decl = std::move(tmp).value()
