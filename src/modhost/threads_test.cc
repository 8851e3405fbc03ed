// SPDX-License-Identifier: BSD-3-Clause
// The host lock, threads of modules, blocked clients. Runs under ThreadSanitizer too.
#include <thread>

#include "modhost/testing/host_fixture.h"

namespace backplane {
namespace {

using ThreadsTest = HostFixture;

TEST(HostLockTest, OneHolderAtATime) {
  HostLock lock;
  constexpr int kThreads = 4;
  constexpr int kRounds = 2000;
  int guarded = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        if (round % 8 == 0) {
          while (!lock.TryTake()) std::this_thread::yield();
        } else {
          lock.Take();
        }
        ++guarded;
        lock.Release();
      }
    });
  }
  for (int round = 0; round < kRounds; ++round) {
    lock.EngineRelease();
    std::this_thread::yield();
    lock.EngineTake();
    ++guarded;
  }
  lock.EngineRelease();
  for (std::thread& thread : threads) thread.join();
  lock.EngineTake();
  EXPECT_EQ(guarded, (kThreads + 1) * kRounds);
}

TEST(HostLockTest, TryTakeFailsWhileItIsHeld) {
  HostLock lock;
  bool taken = true;
  std::thread([&] { taken = lock.TryTake(); }).join();
  EXPECT_FALSE(taken);
  EXPECT_TRUE(lock.OnEngineThread());
}

// A client besides the fixture's own.
struct Client {
  explicit Client(uint64_t id) : session(id, Session::Kind::kNormal, &encoder, nullptr) {}
  OutputBuffer output;
  RespEncoder encoder{&output};
  Session session;
};

TEST_F(ThreadsTest, ThreadsWorkUnderTheLock) {
  ASSERT_TRUE(Load());
  constexpr int kClients = 4;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<Client>(10 + i));
    EXPECT_EQ(RunAs(clients[i]->session, clients[i]->output, "probe.work 300"), "");
    EXPECT_TRUE(clients[i]->session.blocked());
  }
  // Commands go on meanwhile.
  EXPECT_EQ(Run("probe.echo x"), "*1\r\n$1\r\nx\r\n");
  for (auto& client : clients) EXPECT_EQ(Await(client->output), ":300\r\n");
  EXPECT_EQ(Run("probe.guarded"), ":1200\r\n");
  EXPECT_EQ(Run("get counter"), "$4\r\n1200\r\n");
  EXPECT_EQ(probe().blocked_clients, 0);
  // What threads allocated and freed is counted with the rest. Each frees once more after its
  // reply.
  constexpr int kTurnsMax = 10000;
  for (int i = 0; i < kTurnsMax && probe().memory().blocks != 0; ++i) loop_.RunOnce(1);
  EXPECT_EQ(probe().memory().bytes, 0);
  EXPECT_EQ(probe().memory().blocks, 0);
}

TEST_F(ThreadsTest, TimeoutsAnswerOnce) {
  ASSERT_TRUE(Load());
  EXPECT_EQ(Run("probe.wait 1"), "");
  EXPECT_EQ(Await(), "+late\r\n");
  EXPECT_FALSE(session_.blocked());
  // The module owes the end of the handle all the same.
  EXPECT_EQ(probe().blocked_clients, 1);
  EXPECT_EQ(Run("probe.endwait"), "+OK\r\n");
  loop_.RunOnce(0);
  EXPECT_EQ(probe().blocked_clients, 0);
  EXPECT_EQ(Take(output_), "");
}

TEST_F(ThreadsTest, AClientThatHangsUpIsForgotten) {
  ASSERT_TRUE(Load());
  Client client(5);
  RunAs(client.session, client.output, "probe.wait 0");
  BlockedState* state = client.session.blocked_state();
  ASSERT_NE(state, nullptr);
  client.session.Unblock();
  state->OnDisconnect();
  Run("probe.endwait");
  loop_.RunOnce(0);
  EXPECT_EQ(probe().blocked_clients, 0);
  EXPECT_TRUE(client.output.empty());
}

TEST_F(ThreadsTest, KeysWakeClientsInTheirOrder) {
  ASSERT_TRUE(Load());
  Client first(5);
  Client second(6);
  RunAs(first.session, first.output, "probe.waitkey a b");
  RunAs(second.session, second.output, "probe.waitkey b");
  // A key of another kind does not serve; one that nobody waits for neither.
  Run("probe.set b module");
  Run("set c x");
  loop_.RunOnce(0);
  EXPECT_TRUE(first.output.empty() && second.output.empty());
  Run("set b text");
  EXPECT_EQ(Await(first.output), "$1\r\nb\r\n");
  EXPECT_EQ(Await(second.output), "$1\r\nb\r\n");
  loop_.RunOnce(0);
  EXPECT_FALSE(first.session.blocked() || second.session.blocked());
  EXPECT_EQ(probe().blocked_clients, 0);
}

TEST_F(ThreadsTest, UnloadEndsTheWaitOfItsClients) {
  ASSERT_TRUE(Load());
  Client client(5);
  RunAs(client.session, client.output, "probe.waitkey a");
  ASSERT_TRUE(host_.Unload("probe", false).has_value());
  EXPECT_EQ(Take(client.output).substr(0, 10), "-UNBLOCKED");
  EXPECT_FALSE(client.session.blocked());
  Run("set a x");
}

}  // namespace
}  // namespace backplane
