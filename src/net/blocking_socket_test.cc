// SPDX-License-Identifier: BSD-3-Clause
#include "net/blocking_socket.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "net/testing/loopback_listener.h"

namespace backplane {
namespace {

constexpr int64_t kLong = 10'000;

// A listener, and the connection that it has accepted.
class Peer {
 public:
  ~Peer() {
    if (accepted_ >= 0) close(accepted_);
  }
  const std::string& port() const { return listener_.port(); }
  int Accept(sockaddr_in* from = nullptr) {
    socklen_t size = sizeof(sockaddr_in);
    accepted_ = accept(listener_.fd(), reinterpret_cast<sockaddr*>(from),
                       from != nullptr ? &size : nullptr);
    return accepted_;
  }
  void Send(const std::string& text) {
    EXPECT_EQ(send(accepted_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  void CloseAccepted() {
    close(accepted_);
    accepted_ = -1;
  }
  void StopListening() { listener_.Stop(); }

 private:
  LoopbackListener listener_;
  int accepted_ = -1;
};

TEST(BlockingSocket, LinesComeOneByOne) {
  Peer peer;
  auto socket = BlockingSocket::Connect("127.0.0.1", peer.port(), "", kLong);
  ASSERT_TRUE(socket) << socket.error().message;
  const int fd = peer.Accept();
  ASSERT_TRUE(socket->Write("hello", kLong));
  char got[8];
  ASSERT_EQ(recv(fd, got, 5, MSG_WAITALL), 5);
  peer.Send("+OK\r\n-ERR no\nrest");
  EXPECT_EQ(socket->ReadLine(kLong).value(), "+OK");
  EXPECT_EQ(socket->ReadLine(kLong).value(), "-ERR no");
  EXPECT_EQ(socket->ReadLine(1).error().code, ErrorCode::kBusy);
  peer.Send(" of it\r\n");
  EXPECT_EQ(socket->ReadLine(kLong).value(), "rest of it");
  peer.CloseAccepted();
  EXPECT_EQ(socket->ReadLine(kLong).error().code, ErrorCode::kIo);
}

TEST(BlockingSocket, LinesHaveALimit) {
  Peer peer;
  auto socket = BlockingSocket::Connect("127.0.0.1", peer.port(), "", kLong);
  ASSERT_TRUE(socket);
  peer.Accept();
  peer.Send(std::string(BlockingSocket::kLineMax, 'x'));
  EXPECT_EQ(socket->ReadLine(kLong).error().code, ErrorCode::kCorrupt);
}

TEST(BlockingSocket, AWriteThatNobodyReadsTimesOut) {
  Peer peer;
  auto socket = BlockingSocket::Connect("127.0.0.1", peer.port(), "", kLong);
  ASSERT_TRUE(socket);
  peer.Accept();
  constexpr size_t kMoreThanBuffers = 64 << 20;
  EXPECT_EQ(socket->Write(std::string(kMoreThanBuffers, 'x'), 20).error().code, ErrorCode::kBusy);
}

TEST(BlockingSocket, WhatCannotBeReached) {
  Peer peer;
  peer.StopListening();
  EXPECT_EQ(BlockingSocket::Connect("127.0.0.1", peer.port(), "", kLong).error().code,
            ErrorCode::kIo);
  EXPECT_EQ(BlockingSocket::Connect("127.0.0.1", "http", "", kLong).error().code,
            ErrorCode::kNotFound);
  // A backlog of nobody's: connecting to it is neither accepted nor refused once it is full.
  const int full = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(full, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(full, 0), 0);
  getsockname(full, reinterpret_cast<sockaddr*>(&address), &size);
  const std::string port = std::to_string(ntohs(address.sin_port));
  std::vector<BlockingSocket> waiting;
  ErrorCode code = ErrorCode::kNotFound;
  constexpr int kMoreThanBacklog = 64;
  for (int i = 0; i < kMoreThanBacklog && code == ErrorCode::kNotFound; ++i) {
    auto socket = BlockingSocket::Connect("127.0.0.1", port, "", 50);
    if (socket) {
      waiting.push_back(std::move(*socket));
    } else {
      code = socket.error().code;
    }
  }
  EXPECT_EQ(code, ErrorCode::kBusy);
  close(full);
}

TEST(BlockingSocket, ComesFromTheAddressThatWasAskedFor) {
  Peer peer;
  auto socket = BlockingSocket::Connect("127.0.0.1", peer.port(), "127.0.0.9", kLong);
  ASSERT_TRUE(socket) << socket.error().message;
  sockaddr_in from{};
  peer.Accept(&from);
  EXPECT_STREQ(inet_ntoa(from.sin_addr), "127.0.0.9");
  // 192.0.2.0/24 is for documentation: no interface has it.
  EXPECT_EQ(BlockingSocket::Connect("127.0.0.1", peer.port(), "192.0.2.1", kLong).error().code,
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace backplane
