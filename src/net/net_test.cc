// SPDX-License-Identifier: BSD-3-Clause
// Event loop, connections and listeners over real sockets on loopback.
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <thread>

#include "net/connection.h"
#include "net/event_loop.h"
#include "net/listener.h"

namespace backplane {
namespace {

class CountingTimer final : public TimerHandler {
 public:
  int64_t OnTimer() override {
    ++calls;
    if (remove_in != nullptr) remove_in->RemoveTimer(id);
    return again;
  }
  int calls = 0;
  int64_t again = -1;
  EventLoop* remove_in = nullptr;
  EventLoop::TimerId id = 0;
};

TEST(EventLoopTest, OneShotTimersFireOnce) {
  EventLoop loop;
  CountingTimer timer;
  loop.AddTimer(1, &timer);
  while (timer.calls == 0) loop.RunOnce(100);
  for (int i = 0; i < 5; ++i) loop.RunOnce(1);
  EXPECT_EQ(timer.calls, 1);
}

TEST(EventLoopTest, RepeatingTimersGoOnUntilRemoved) {
  EventLoop loop;
  CountingTimer timer;
  timer.again = 1;
  auto id = loop.AddTimer(1, &timer);
  while (timer.calls < 3) loop.RunOnce(100);
  EXPECT_GE(loop.TimerRemaining(id), 0);
  EXPECT_TRUE(loop.RemoveTimer(id));
  EXPECT_FALSE(loop.RemoveTimer(id));
  int calls = timer.calls;
  for (int i = 0; i < 3; ++i) loop.RunOnce(3);
  EXPECT_EQ(timer.calls, calls);
}

TEST(EventLoopTest, ATimerMayRemoveItself) {
  EventLoop loop;
  CountingTimer timer;
  timer.again = 1;
  timer.remove_in = &loop;
  timer.id = loop.AddTimer(1, &timer);
  while (timer.calls == 0) loop.RunOnce(100);
  for (int i = 0; i < 3; ++i) loop.RunOnce(3);
  EXPECT_EQ(timer.calls, 1);
  EXPECT_EQ(loop.TimerRemaining(timer.id), -1);
}

TEST(EventLoopTest, WakeAndStopWorkFromAnotherThread) {
  EventLoop loop;
  std::thread other([&] { loop.Stop(); });
  loop.Run();
  other.join();
}

// Runs the loop within itself, once.
class NestingHandler final : public FdHandler {
 public:
  explicit NestingHandler(EventLoop* loop) : loop_(loop) {}
  void OnEvents(uint32_t) override {
    ++events;
    if (other->events > 0) return;
    if (polls) {
      loop_->PollOnce();
    } else {
      loop_->RunOnce(0);
    }
    other_was_told = other->events > 0;
  }
  NestingHandler* other = nullptr;
  bool polls = false;
  bool other_was_told = false;
  int events = 0;

 private:
  EventLoop* loop_;
};

// An edge that a turn was told of is not told again: a turn within it delivers it.
TEST(EventLoopTest, ATurnWithinATurnDeliversWhatIsLeftOfTheOuter) {
  for (const bool polls : {false, true}) {
    EventLoop loop;
    NestingHandler handlers[2] = {NestingHandler(&loop), NestingHandler(&loop)};
    int fds[2][2];
    for (int i = 0; i < 2; ++i) {
      ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds[i]), 0);
      handlers[i].other = &handlers[1 - i];
      handlers[i].polls = polls;
      ASSERT_TRUE(loop.Add(fds[i][0], EPOLLIN | EPOLLET, &handlers[i]));
      ASSERT_EQ(write(fds[i][1], "x", 1), 1);
    }
    loop.RunOnce(0);
    EXPECT_NE(handlers[0].other_was_told, handlers[1].other_was_told);
    EXPECT_EQ(handlers[0].events, 1);
    EXPECT_EQ(handlers[1].events, 1);
    for (const auto& pair : fds) {
      loop.Remove(pair[0]);
      close(pair[0]);
      close(pair[1]);
    }
  }
}

// Echoes complete lines; can pause after one.
class LineHandler final : public ConnectionHandler {
 public:
  size_t OnInput(Connection& connection, std::string_view data) override {
    ++inputs;
    size_t used = 0;
    for (;;) {
      size_t end = data.find('\n', used);
      if (end == std::string_view::npos || connection.reading_paused()) return used;
      lines.emplace_back(data.substr(used, end - used));
      connection.out().Append(data.substr(used, end - used + 1));
      connection.ScheduleWrite();
      used = end + 1;
      if (pause_after == lines.back()) connection.PauseReading();
    }
  }
  void OnClosed(Connection&) override { ++closed; }
  std::vector<std::string> lines;
  std::string pause_after = "-";
  int inputs = 0;
  int closed = 0;
};

class ConnectionTest : public testing::Test {
 protected:
  ConnectionTest() : set_(&loop_) {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    peer_ = fds[0];
    connection_ = set_.Adopt(fds[1], &handler_);
  }
  ~ConnectionTest() override {
    if (peer_ >= 0) close(peer_);
  }
  void Send(std::string_view text) {
    ASSERT_EQ(write(peer_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string Receive() {
    std::string all;
    char buffer[4096];
    for (ssize_t n; (n = read(peer_, buffer, sizeof(buffer))) > 0;)
      all.append(buffer, static_cast<size_t>(n));
    return all;
  }
  void Turns(int n) {
    for (int i = 0; i < n; ++i) loop_.RunOnce(1);
  }
  EventLoop loop_;
  LineHandler handler_;  // outlives the set, which tells it of closed connections
  ConnectionSet set_;
  Connection* connection_ = nullptr;
  int peer_ = -1;
};

TEST_F(ConnectionTest, KeepsTheUnusedRestForTheNextBytes) {
  Send("one\ntw");
  Turns(2);
  EXPECT_EQ(handler_.lines, std::vector<std::string>{"one"});
  EXPECT_EQ(connection_->input_bytes(), 2u);
  Send("o\n");
  Turns(2);
  EXPECT_EQ(handler_.lines.back(), "two");
  EXPECT_EQ(connection_->input_bytes(), 0u);
  EXPECT_EQ(Receive(), "one\ntwo\n");
  EXPECT_EQ(connection_->bytes_in(), 8u);
  EXPECT_EQ(connection_->bytes_out(), 8u);
}

TEST_F(ConnectionTest, APausedConnectionIsOfferedItsRestWhenItResumes) {
  handler_.pause_after = "stop";
  Send("stop\nlater\n");
  Turns(3);
  EXPECT_EQ(handler_.lines, std::vector<std::string>{"stop"});
  handler_.pause_after = "-";
  connection_->ResumeReading();
  Turns(2);
  EXPECT_EQ(handler_.lines, (std::vector<std::string>{"stop", "later"}));
}

TEST_F(ConnectionTest, LargeInputArrivesWhole) {
  std::string line(1 << 20, 'x');
  std::thread sender([&] {
    size_t done = 0;
    std::string text = line + "\n";
    while (done < text.size()) {
      ssize_t n = write(peer_, text.data() + done, text.size() - done);
      if (n > 0) done += static_cast<size_t>(n);
    }
  });
  while (handler_.lines.empty()) {
    loop_.RunOnce(10);
    Receive();
  }
  sender.join();
  EXPECT_EQ(handler_.lines[0], line);
}

TEST_F(ConnectionTest, MoreThanOneReadTakesIsReadWithoutAnotherEvent) {
  const std::string line = std::string(999, 'x') + "\n";
  size_t lines = 0;
  while (write(peer_, line.data(), line.size()) == static_cast<ssize_t>(line.size())) ++lines;
  ASSERT_GT(lines, 66u);  // more than one read takes
  for (int turn = 0; turn < 20; ++turn) loop_.RunOnce(0);
  EXPECT_EQ(handler_.lines.size(), lines);
}

TEST_F(ConnectionTest, ItStaysReadBehindAPause) {
  const std::string line = std::string(999, 'x') + "\n";
  Send("stop\n");
  size_t lines = 0;
  while (write(peer_, line.data(), line.size()) == static_cast<ssize_t>(line.size())) ++lines;
  handler_.pause_after = "stop";
  Turns(3);
  EXPECT_EQ(handler_.lines.size(), 1u);
  handler_.pause_after = "-";
  connection_->ResumeReading();
  for (int turn = 0; turn < 20; ++turn) loop_.RunOnce(0);
  EXPECT_EQ(handler_.lines.size(), lines + 1);
}

TEST_F(ConnectionTest, TheEndOfTheInputMayComeWithIt) {
  Send("one\n");
  ASSERT_EQ(shutdown(peer_, SHUT_WR), 0);
  Turns(4);
  EXPECT_EQ(handler_.lines, std::vector<std::string>{"one"});
  EXPECT_EQ(Receive(), "one\n");
  EXPECT_EQ(handler_.closed, 1);
}

TEST_F(ConnectionTest, TheEndOfTheInputMayComeBehindManyReads) {
  const std::string line = std::string(999, 'x') + "\n";
  size_t lines = 0;
  while (write(peer_, line.data(), line.size()) == static_cast<ssize_t>(line.size())) ++lines;
  ASSERT_EQ(shutdown(peer_, SHUT_WR), 0);
  for (int turn = 0; turn < 20 && handler_.closed == 0; ++turn) {
    loop_.RunOnce(0);
    Receive();
  }
  EXPECT_EQ(handler_.lines.size(), lines);
  EXPECT_EQ(handler_.closed, 1);
}

TEST_F(ConnectionTest, OutputThatTheKernelDoesNotTakeAtOnceIsSentLater) {
  std::string big(4 << 20, 'y');
  connection_->out().Append(big);
  connection_->ScheduleWrite();
  std::string got;
  for (int i = 0; i < 10000 && got.size() < big.size(); ++i) {
    loop_.RunOnce(1);
    got += Receive();
  }
  EXPECT_EQ(got, big);
}

TEST_F(ConnectionTest, ClosesWhenThePeerIsGone) {
  close(peer_);
  peer_ = -1;
  Turns(3);
  EXPECT_EQ(handler_.closed, 1);
  EXPECT_EQ(set_.size(), 0u);
}

TEST_F(ConnectionTest, CloseAfterFlushSendsWhatIsThere) {
  connection_->out().Append("bye");
  connection_->CloseAfterFlush();
  Turns(2);
  EXPECT_EQ(Receive(), "bye");
  EXPECT_EQ(handler_.closed, 1);
}

class Acceptor final : public AcceptHandler {
 public:
  void OnAccept(int fd, SocketKind kind) override {
    close(fd);
    ++(kind == SocketKind::kUnix ? unix_count : tcp_count);
  }
  int tcp_count = 0;
  int unix_count = 0;
};

TEST(ListenerTest, AcceptsOnUnixSocketsAndRemovesTheFile) {
  EventLoop loop;
  Acceptor acceptor;
  std::string path = testing::TempDir() + "backplane_net_test_" + std::to_string(getpid());
  {
    auto listener = Listener::Unix(&loop, path, 0700, 10, &acceptor);
    ASSERT_TRUE(listener.has_value());
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    loop.RunOnce(100);
    EXPECT_EQ(acceptor.unix_count, 1);
    close(fd);
  }
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

TEST(ListenerTest, SaysWhyItCannotListen) {
  EventLoop loop;
  Acceptor acceptor;
  auto first = Listener::Tcp(&loop, "127.0.0.1", 0, 10, &acceptor);
  ASSERT_TRUE(first.has_value());
  EXPECT_GT((*first)->port(), 0);
  auto second = Listener::Tcp(&loop, "127.0.0.1", (*first)->port(), 10, &acceptor);
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().message.find("bind"), std::string::npos);
  EXPECT_FALSE(Listener::Tcp(&loop, "not-an-address", 0, 10, &acceptor).has_value());
}

}  // namespace
}  // namespace backplane
