// SPDX-License-Identifier: BSD-3-Clause
// ClientPause: requests that it keeps, when the pause ends.
#include "engine/client_pause.h"

#include <gtest/gtest.h>

#include "client/pubsub.h"
#include "client/session.h"
#include "command/context.h"
#include "command/registry.h"
#include "config/settings.h"
#include "engine/key_waiters.h"
#include "keyspace/keyspace.h"
#include "resp/output_buffer.h"
#include "resp/resp_encoder.h"

namespace backplane {
namespace {

constexpr int64_t kLongMs = 1'000'000;

void Hello(CommandContext& ctx) { ctx.reply().Ok(); }
void PauseAll(CommandContext& ctx) {
  ctx.owner<ClientPause>().Begin(ClientPause::Mode::kAll, kLongMs);
  ctx.reply().Ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "hello", .handler = Hello, .arity = 1, .flags = kCmdFast},
    {.name = "pauseall", .handler = PauseAll, .arity = 1, .flags = kCmdFast},
};

class Client {
 public:
  // Sends a request that nobody else keeps.
  void Send(Engine& engine, const std::string& name) {
    const std::string_view words[] = {name};
    if (!engine.Process(session_, words)) engine.client_pause()->Keep(session_, {name});
  }
  bool waits() const { return session_.blocked(); }
  bool answered() const { return !output_.empty(); }

 private:
  OutputBuffer output_;
  RespEncoder encoder_{&output_};
  Session session_{1, Session::Kind::kNormal, &encoder_, nullptr};
};

class ClientPauseTest : public testing::Test {
 protected:
  ClientPauseTest() { registry_.Add(kRows, &pause_); }

  EventLoop loop_;
  Keyspace keyspace_{1};
  CommandRegistry registry_;
  PubSub pubsub_;
  Settings settings_;
  Logger logger_;
  Engine engine_{{keyspace_, registry_, pubsub_, settings_, logger_}};
  ClientPause pause_{&engine_, &loop_};
};

TEST_F(ClientPauseTest, KeptRequestsRunAtTheEnd) {
  Client one;
  Client two;
  pause_.Begin(ClientPause::Mode::kAll, kLongMs);
  one.Send(engine_, "hello");
  two.Send(engine_, "hello");
  EXPECT_TRUE(one.waits() && two.waits());
  EXPECT_FALSE(one.answered() || two.answered());
  pause_.End();
  EXPECT_FALSE(one.waits() || two.waits());
  EXPECT_TRUE(one.answered() && two.answered());
}

// The first request begins a pause: those behind it go on waiting, and none is forgotten.
TEST_F(ClientPauseTest, AKeptRequestMayPauseAgain) {
  Client one;
  Client two;
  pause_.Begin(ClientPause::Mode::kAll, kLongMs);
  one.Send(engine_, "pauseall");
  two.Send(engine_, "hello");
  pause_.End();
  EXPECT_TRUE(one.answered());
  EXPECT_FALSE(one.waits());
  EXPECT_TRUE(two.waits());
  EXPECT_FALSE(two.answered());
  EXPECT_NE(engine_.client_pause(), nullptr);
  pause_.End();
  EXPECT_FALSE(two.waits());
  EXPECT_TRUE(two.answered());
}

// A client that waits for a key, and is told of it once however often that became ready.
TEST_F(ClientPauseTest, KeysThatBecomeReadyAreSignalledOnce) {
  class Waiter final : public KeyWaiter {
   public:
    int waits_in_db() const override { return 0; }
    const std::vector<std::string>& waits_for() const override { return keys_; }
    bool wakes_on_delete() const override { return true; }
    bool OnKeyReady(const std::string& key) override {
      told.push_back(key);
      return false;
    }
    std::vector<std::string> told;

   private:
    std::vector<std::string> keys_ = {"a", "b"};
  } waiter;
  engine_.key_waiters().Add(&waiter);
  pause_.Begin(ClientPause::Mode::kAll, kLongMs);
  for (int i = 0; i < 3; ++i) {
    pause_.SignalLater(0, "b");
    pause_.SignalLater(0, "a");
  }
  EXPECT_TRUE(waiter.told.empty());
  pause_.End();
  EXPECT_EQ(waiter.told, (std::vector<std::string>{"b", "a"}));
  // Nothing is left of it for the next pause.
  pause_.Begin(ClientPause::Mode::kAll, kLongMs);
  pause_.End();
  EXPECT_EQ(waiter.told.size(), 2u);
  engine_.key_waiters().Remove(&waiter);
}

}  // namespace
}  // namespace backplane
