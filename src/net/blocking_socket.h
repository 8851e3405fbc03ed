// SPDX-License-Identifier: BSD-3-Clause
// BlockingSocket: a TCP connection that the server opens and that its caller waits for, with a
// limit to each wait: for commands that talk to another server (MIGRATE). Any one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace backplane {

class BlockingSocket {
 public:
  // Opens a connection; `host` is an address or a name, whose lookup has the resolver's own time
  // limits. `source`: the address to come from, "" for any. kNotFound: no such host or port;
  // kInvalidArgument: `source` is none of ours; kBusy: nobody answered within `timeout_ms`; kIo:
  // refused.
  static Result<BlockingSocket> Connect(const std::string& host, const std::string& port,
                                        const std::string& source, int64_t timeout_ms);
  BlockingSocket(BlockingSocket&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), input_(std::move(other.input_)) {}
  BlockingSocket& operator=(BlockingSocket&&) = delete;
  // Closes; the peer is told even when a forked child holds the socket too.
  ~BlockingSocket();

  // All bytes. kBusy: the peer took none for `timeout_ms`; kIo. After an error nobody knows what
  // has arrived.
  Status Write(std::string_view bytes, int64_t timeout_ms);
  // The next line without its CRLF (or LF). kBusy: it was not whole within `timeout_ms`; kIo: the
  // peer closed; kCorrupt: longer than kLineMax.
  static constexpr size_t kLineMax = 64 * 1024;
  Result<std::string> ReadLine(int64_t timeout_ms);

 private:
  explicit BlockingSocket(int fd) : fd_(fd) {}

  int fd_;
  std::string input_;  // read, not yet handed out
};

}  // namespace backplane
