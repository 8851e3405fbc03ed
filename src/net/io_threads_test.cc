// SPDX-License-Identifier: BSD-3-Clause
// I/O threads: that a batch is done once and whole, and connections that are read and written by
// them. Runs under ThreadSanitizer too.
#include "net/io_threads.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "net/connection.h"

namespace backplane {
namespace {

class CountingBatch final : public IoThreads::Batch {
 public:
  explicit CountingBatch(size_t count) : done(count, 0) {}
  void Do(size_t index) override { ++done[index]; }  // not atomic: one thread has it
  std::vector<int> done;
};

TEST(IoThreadsTest, EachIndexIsDoneOnce) {
  for (int threads : {1, 2, 4}) {
    IoThreads io(threads);
    EXPECT_EQ(io.count(), threads);
    for (int round = 0; round < 200; ++round) {
      CountingBatch batch(static_cast<size_t>(round));
      io.Run(batch, batch.done.size());
      for (int done : batch.done) ASSERT_EQ(done, 1);
    }
  }
}

TEST(IoThreadsTest, EndsWithoutEverHavingWorked) { IoThreads io(8); }

// Echoes lines. Prepare counts the lines; OnInput checks that it was for the same bytes.
class LineEcho final : public ConnectionHandler {
 public:
  LineEcho() : prepared(kSlotsMax) {}
  void Prepare(Connection&, std::string_view data, size_t slot) override {
    prepared[slot].bytes = data.data();
    prepared[slot].size = data.size();
    prepared[slot].end = data.rfind('\n');
  }
  size_t OnInput(Connection& connection, std::string_view data) override {
    size_t end = data.rfind('\n');
    if (connection.prepared_slot() >= 0) {
      const Slot& slot = prepared[static_cast<size_t>(connection.prepared_slot())];
      ++used_prepared;
      EXPECT_EQ(slot.bytes, data.data());
      EXPECT_EQ(slot.size, data.size());
      EXPECT_EQ(slot.end, end);
    }
    if (pause_others && connection.user_data() != nullptr)
      static_cast<Connection*>(connection.user_data())->PauseReading();
    if (end == std::string_view::npos) return 0;
    connection.out().Append(data.substr(0, end + 1));
    connection.ScheduleWrite();
    return end + 1;
  }
  void OnClosed(Connection&) override { ++closed; }

  struct Slot {
    const char* bytes = nullptr;
    size_t size = 0;
    size_t end = 0;
  };
  std::vector<Slot> prepared;
  int used_prepared = 0;
  int closed = 0;
  bool pause_others = false;
};

class IoPhasesTest : public testing::Test {
 protected:
  static constexpr size_t kClients = 40;
  void Open(bool reads) {
    set_.set_io_threads(&threads_, reads);
    for (size_t i = 0; i < kClients; ++i) {
      int fds[2];
      ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
      connections_.push_back(set_.Adopt(fds[0], &handler_));
      ASSERT_NE(connections_.back(), nullptr);
      fds_.push_back(fds[1]);
    }
  }
  void TearDown() override {
    for (int fd : fds_) close(fd);
  }
  void Send(size_t client, std::string_view text) {
    ASSERT_EQ(write(fds_[client], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string Receive(size_t client) {
    std::string text;
    char part[65536];
    for (;;) {
      const ssize_t got = read(fds_[client], part, sizeof(part));
      if (got <= 0) return text;
      text.append(part, static_cast<size_t>(got));
    }
  }

  EventLoop loop_;
  IoThreads threads_{3};
  LineEcho handler_;  // outlives its connections
  ConnectionSet set_{&loop_};
  std::vector<Connection*> connections_;
  std::vector<int> fds_;
};

TEST_F(IoPhasesTest, EveryClientGetsItsOwn) {
  Open(true);
  for (int round = 0; round < 50; ++round) {
    for (size_t i = 0; i < kClients; ++i)
      Send(i, "client " + std::to_string(i) + " round " + std::to_string(round) + "\n");
    loop_.RunOnce(0);
    loop_.RunOnce(0);
    for (size_t i = 0; i < kClients; ++i) {
      ASSERT_EQ(Receive(i),
                "client " + std::to_string(i) + " round " + std::to_string(round) + "\n");
    }
  }
  EXPECT_GT(handler_.used_prepared, 0);
  EXPECT_EQ(set_.threaded_reads(), 50u * kClients);
  EXPECT_EQ(set_.threaded_writes(), 50u * kClients);
}

TEST_F(IoPhasesTest, WritesAlone) {
  Open(false);
  for (size_t i = 0; i < kClients; ++i) Send(i, std::to_string(i) + "\n");
  loop_.RunOnce(0);
  loop_.RunOnce(0);
  for (size_t i = 0; i < kClients; ++i) EXPECT_EQ(Receive(i), std::to_string(i) + "\n");
  EXPECT_EQ(set_.threaded_reads(), 0u);
  EXPECT_EQ(set_.threaded_writes(), kClients);
}

TEST_F(IoPhasesTest, AFewAreServedWithoutThreads) {
  Open(true);
  for (size_t i = 0; i < 3; ++i) Send(i, "hello\n");
  loop_.RunOnce(0);
  loop_.RunOnce(0);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(Receive(i), "hello\n");
  EXPECT_EQ(set_.threaded_reads(), 0u);
  EXPECT_EQ(set_.threaded_writes(), 0u);
}

// More than a socket takes, so that writing stops and goes on.
TEST_F(IoPhasesTest, LargeLinesInPieces) {
  Open(true);
  std::vector<std::string> lines;
  std::vector<std::string> received(kClients);
  for (size_t i = 0; i < kClients; ++i)
    lines.push_back(std::string(300'000 + i, static_cast<char>('a' + i % 26)) + "\n");
  std::vector<size_t> sent(kClients, 0);
  for (int turn = 0; turn < 5000; ++turn) {
    bool done = true;
    for (size_t i = 0; i < kClients; ++i) {
      const ssize_t now = write(fds_[i], lines[i].data() + sent[i], lines[i].size() - sent[i]);
      if (now > 0) sent[i] += static_cast<size_t>(now);
      received[i] += Receive(i);
      done &= received[i].size() == lines[i].size();
    }
    if (done) break;
    loop_.RunOnce(0);
  }
  for (size_t i = 0; i < kClients; ++i) EXPECT_EQ(received[i], lines[i]);
}

TEST_F(IoPhasesTest, PeersThatLeave) {
  Open(true);
  for (size_t i = 0; i < kClients; ++i) {
    Send(i, "bye\n");
    if (i % 2 == 0) shutdown(fds_[i], SHUT_WR);
  }
  for (int turn = 0; turn < 4; ++turn) loop_.RunOnce(0);
  for (size_t i = 0; i < kClients; ++i) EXPECT_EQ(Receive(i), "bye\n");
  EXPECT_EQ(handler_.closed, static_cast<int>(kClients / 2));
  EXPECT_EQ(set_.size(), kClients / 2);
}

TEST_F(IoPhasesTest, PeersThatLeaveBehindMuchInput) {
  Open(true);
  const std::string line = std::string(999, 'x') + "\n";
  for (size_t i = 0; i < kClients; ++i) {
    while (write(fds_[i], line.data(), line.size()) > 0) continue;
    shutdown(fds_[i], SHUT_WR);
  }
  for (int turn = 0; turn < 50; ++turn) {
    loop_.RunOnce(0);
    for (size_t i = 0; i < kClients; ++i) Receive(i);
  }
  EXPECT_EQ(handler_.closed, static_cast<int>(kClients));
}

// What one client's request does to others whose input has been read already.
TEST_F(IoPhasesTest, ConnectionsPausedMeanwhileAreServedLater) {
  Open(true);
  for (size_t i = 0; i + 1 < kClients; i += 2) connections_[i]->set_user_data(connections_[i + 1]);
  handler_.pause_others = true;
  for (size_t i = 0; i < kClients; ++i) Send(i, "one\n");
  loop_.RunOnce(0);
  loop_.RunOnce(0);
  handler_.pause_others = false;
  size_t answered = 0;
  std::vector<std::string> received(kClients);
  for (size_t i = 0; i < kClients; ++i) {
    received[i] = Receive(i);
    answered += received[i].empty() ? 0 : 1;
  }
  EXPECT_LT(answered, kClients);
  for (Connection* connection : connections_) connection->ResumeReading();
  loop_.RunOnce(0);
  loop_.RunOnce(0);
  for (size_t i = 0; i < kClients; ++i) EXPECT_EQ(received[i] + Receive(i), "one\n");
}

}  // namespace
}  // namespace backplane
