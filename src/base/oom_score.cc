// SPDX-License-Identifier: BSD-3-Clause
#include "base/oom_score.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/numbers.h"

namespace backplane {
namespace {

constexpr int64_t kLowest = -1000;
constexpr int64_t kHighest = 1000;

std::unexpected<Error> Failure(const char* what, const std::string& path) {
  return Fail(ErrorCode::kIo, std::string(what) + " " + path + ": " + std::strerror(errno));
}

Result<int64_t> Read(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Failure("read", path);
  char text[kNumberTextMax];
  const ssize_t size = read(fd, text, sizeof(text));
  close(fd);
  if (size < 0) return Failure("read", path);
  std::string_view digits(text, static_cast<size_t>(size));
  digits = digits.substr(0, digits.find('\n'));
  const auto value = ParseInt64(digits);
  if (!value) return Fail(ErrorCode::kIo, path + ": not a number");
  return *value;
}

Status Write(const std::string& path, int64_t value) {
  const int fd = open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  if (fd < 0) return Failure("write", path);
  const std::string text = Int64ToString(value) + "\n";
  const ssize_t size = write(fd, text.data(), text.size());
  const int error = errno;
  close(fd);
  errno = error;
  if (size < 0) return Failure("write", path);
  return {};
}

}  // namespace

Status OomScore::Apply(Mode mode, int64_t value) {
  if (mode == Mode::kOff) {
    if (!base_) return {};
    BP_RETURN_IF_ERROR(Write(path_, *base_));
    base_.reset();
    return {};
  }
  int64_t base = 0;
  if (base_) {
    base = *base_;
  } else {
    BP_ASSIGN_OR_RETURN(base, Read(path_));
  }
  const int64_t wanted = mode == Mode::kRelative ? base + value : value;
  BP_RETURN_IF_ERROR(Write(path_, std::clamp(wanted, kLowest, kHighest)));
  base_ = base;
  return {};
}

}  // namespace backplane
