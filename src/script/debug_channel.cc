// SPDX-License-Identifier: BSD-3-Clause
#include "script/debug_channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace backplane {
namespace {

constexpr int kLookMilliseconds = 100;
// Whoever does not take what he is sent for so long is as good as gone.
constexpr int kWriteMilliseconds = 10'000;
// Of a command: it is typed by somebody.
constexpr size_t kCommandBytesMax = 1024 * 1024;

}  // namespace

Status DebugChannel::Fill() {
  char bytes[4096];
  for (;;) {
    pollfd wait{fd_, POLLIN, 0};
    const int ready = poll(&wait, 1, kLookMilliseconds);
    if (interrupted_ && interrupted_()) return Fail(ErrorCode::kBusy, "interrupted");
    if (ready <= 0) continue;
    const ssize_t size = recv(fd_, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (size > 0) {
      input_.append(bytes, static_cast<size_t>(size));
      return {};
    }
    const bool retry = size < 0 && (errno == EAGAIN || errno == EINTR);
    if (!retry) return Fail(ErrorCode::kIo, "the client has gone");
  }
}

Result<std::vector<std::string>> DebugChannel::Read() {
  RequestLimits limits;
  limits.bulk_bytes_max = kCommandBytesMax;
  for (;;) {
    std::vector<std::string_view> args;
    size_t consumed = 0;
    const auto outcome = parser_.Parse(input_, true, limits, &args, &consumed);
    const bool too_long = input_.size() > kCommandBytesMax;
    if (outcome == RequestParser::Outcome::kError || too_long) {
      return Fail(ErrorCode::kCorrupt, "protocol error");
    }
    if (outcome == RequestParser::Outcome::kNeedMore) {
      BP_RETURN_IF_ERROR(Fill());
      continue;
    }
    std::vector<std::string> words(args.begin(), args.end());
    input_.erase(0, consumed);
    if (words.empty()) return Fail(ErrorCode::kCorrupt, "protocol error");
    return words;
  }
}

void DebugChannel::Log(std::string line) {
  for (char& c : line) {
    if (c == '\r' || c == '\n') c = ' ';
  }
  lines_.push_back(std::move(line));
}

void DebugChannel::Send() {
  std::string bytes = "*" + std::to_string(lines_.size()) + "\r\n";
  for (const std::string& line : lines_) bytes += "+" + line + "\r\n";
  lines_.clear();
  Write(bytes);
}

// What cannot be sent is lost: the next Read says why.
void DebugChannel::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
      continue;
    }
    if (sent < 0 && errno == EINTR) continue;
    if (sent == 0 || errno != EAGAIN) return;
    pollfd wait{fd_, POLLOUT, 0};
    if (poll(&wait, 1, kWriteMilliseconds) <= 0) return;
  }
}

}  // namespace backplane
