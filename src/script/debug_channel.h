// SPDX-License-Identifier: BSD-3-Clause
// DebugChannel: how the Lua debugger talks to its client: over the client's socket, past the event
// loop, waiting. Used while a script is debugged, by the one thread that runs it.
//
//   request = a command of words, as clients send them (resp/request_parser.h)
//   answer  = an array of simple strings, each a line for the user
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "resp/request_parser.h"

namespace backplane {

class DebugChannel {
 public:
  // `fd` is not owned. `interrupted` is asked now and then while there is nothing to read.
  DebugChannel(int fd, std::function<bool()> interrupted)
      : fd_(fd), interrupted_(std::move(interrupted)) {}
  DebugChannel(const DebugChannel&) = delete;
  DebugChannel& operator=(const DebugChannel&) = delete;

  // Waits for the next command; it has at least one word. kIo: the client has gone; kCorrupt: it
  // sent no command, or one that is too long; kBusy: interrupted.
  Result<std::vector<std::string>> Read();

  // A line of the next answer. Line ends in it become blanks.
  void Log(std::string line);
  // Sends the answer, which may have no lines.
  void Send();
  // Sends bytes of the protocol.
  void Write(std::string_view bytes);

 private:
  Status Fill();

  int fd_;
  std::function<bool()> interrupted_;
  std::vector<std::string> lines_;
  std::string input_;
  RequestParser parser_;
};

}  // namespace backplane
