// SPDX-License-Identifier: BSD-3-Clause
// MIGRATE: what replicas get of it. Replies and bytes on the wire: tests/compat, tests/integration.
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "commands/persist/migration_peers.h"
#include "commands/testing/command_fixture.h"
#include "net/testing/loopback_listener.h"

namespace backplane {
namespace {

// Answers the first bytes of one connection, and closes it once the other side does.
class Target {
 public:
  explicit Target(std::string answer) {
    thread_ = std::thread([fd = listener_.fd(), text = std::move(answer)] {
      const int client = accept(fd, nullptr, nullptr);
      char bytes[4096];
      if (recv(client, bytes, sizeof(bytes), 0) > 0) {
        EXPECT_EQ(send(client, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
      }
      while (recv(client, bytes, sizeof(bytes), 0) > 0) {
      }
      close(client);
    });
  }
  // REQUIRES: the connection to it has been closed.
  ~Target() { thread_.join(); }
  const std::string& port() const { return listener_.port(); }

 private:
  LoopbackListener listener_;
  std::thread thread_;
};

class MigrateTest : public CommandTest {
 protected:
  MigrateTest() { RegisterMigrateCommand(fixture_.registry(), peers_); }
  std::string Line(const Target& target, const std::string& rest) {
    return "MIGRATE 127.0.0.1 " + target.port() + " " + rest;
  }
  void CloseConnections() { peers_.CloseIdle(INT64_MAX); }

  MigrationPeers peers_{&fixture_.settings()};
};

TEST_F(MigrateTest, KeysThatArrivedAreDeletedEverywhere) {
  Do("MSET a 1 b 2 c 3");
  Target target("+OK\r\n+OK\r\n-ERR full\r\n+OK\r\n");
  CheckEffects(Line(target, "\"\" 0 10000 KEYS a no b c"), {"g del a", "g del c"}, {"DEL a c"}, 2);
  EXPECT_TRUE(fixture_.Exists("b"));
  EXPECT_EQ(peers_.size(), 1u);
  CloseConnections();
  EXPECT_EQ(peers_.size(), 0u);
}

TEST_F(MigrateTest, ACopyChangesNothing) {
  Do("SET a 1");
  Target target("+OK\r\n+OK\r\n");
  CheckEffects(Line(target, "a 0 10000 COPY"), {}, {}, 0);
  CloseConnections();
}

TEST_F(MigrateTest, WhatDidNotArriveStays) {
  Do("SET a 1");
  Target target("-ERR no\r\n+OK\r\n");
  CheckEffects(Line(target, "a 3 10000"), {}, {}, 0);
  EXPECT_TRUE(fixture_.Exists("a"));
  CloseConnections();
}

}  // namespace
}  // namespace backplane
