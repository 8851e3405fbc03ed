// SPDX-License-Identifier: BSD-3-Clause
// ClientTracking without a server: the table, prefixes, limits, and what goes when a session goes.
#include "client/tracking.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "client/session.h"
#include "resp/output_buffer.h"
#include "resp/resp_encoder.h"

namespace backplane {
namespace {

// A session whose output can be looked at.
class Client {
 public:
  explicit Client(uint64_t id, int resp = 3)
      : session_(id, Session::Kind::kNormal, &encoder_, nullptr) {
    encoder_.set_resp(resp);
  }
  Session& session() { return session_; }
  std::string Take() {
    std::string text;
    iovec parts[16];
    while (!out_.empty()) {
      const int count = out_.Gather(parts, 16);
      size_t size = 0;
      for (int i = 0; i < count; ++i) {
        text.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
        size += parts[i].iov_len;
      }
      out_.Consume(size);
    }
    return text;
  }

 private:
  OutputBuffer out_;
  RespEncoder encoder_{&out_};
  Session session_;
};

std::string Message(std::string_view key) {
  return ">2\r\n$10\r\ninvalidate\r\n*1\r\n$" + std::to_string(key.size()) + "\r\n" +
         std::string(key) + "\r\n";
}

TEST(ClientTracking, TellsOnceAndForgets) {
  ClientTracking tracking;
  Client a(1), b(2);
  EXPECT_FALSE(tracking.active());
  tracking.Enable(a.session(), {}, {});
  tracking.Enable(b.session(), {}, {});
  for (int i = 0; i < 2; ++i) tracking.Remember(a.session(), "k");
  tracking.Remember(b.session(), "k");
  EXPECT_EQ(tracking.key_count(), 1u);
  EXPECT_EQ(tracking.item_count(), 2u);
  tracking.OnKeyModified("k", &a.session());
  EXPECT_EQ(a.Take(), Message("k"));
  EXPECT_EQ(b.Take(), Message("k"));
  EXPECT_EQ(tracking.item_count(), 0u);
  tracking.OnKeyModified("k", nullptr);
  EXPECT_EQ(a.Take(), "");
}

TEST(ClientTracking, MessagesWaitForTheReply) {
  ClientTracking tracking;
  Client a(1);
  tracking.Enable(a.session(), {}, {});
  tracking.Remember(a.session(), "k");
  ASSERT_TRUE(a.session().HoldMessages());
  tracking.OnKeyModified("k", &a.session());
  tracking.OnFlush();
  EXPECT_EQ(a.Take(), "");
  a.session().ReleaseMessages();
  EXPECT_EQ(a.Take(), Message("k") + ">2\r\n$10\r\ninvalidate\r\n_\r\n");
}

TEST(ClientTracking, MessagesThatWaitCountAsMemory) {
  constexpr size_t kLarge = 100'000;
  Client a(1);
  const size_t before = a.session().memory();
  ASSERT_TRUE(a.session().HoldMessages());
  a.session().OnMessage("channel", std::string(kLarge, 'x'));
  EXPECT_GT(a.session().memory(), before + kLarge);
  const std::string key(kLarge, 'k');
  const std::vector<std::string_view> keys = {key};
  a.session().OnInvalidation(&keys);
  EXPECT_GT(a.session().memory(), before + 2 * kLarge);
  a.session().ReleaseMessages();
  EXPECT_LT(a.session().memory(), before + kLarge);
}

TEST(ClientTracking, ASessionThatGoesLeavesNothing) {
  ClientTracking tracking;
  Client stays(1);
  tracking.Enable(stays.session(), {}, {});
  {
    Client goes(2);
    tracking.Enable(goes.session(), {.broadcast = true}, {"x", "y"});
    EXPECT_EQ(tracking.prefix_count(), 2u);
    tracking.OnKeyModified("x1", nullptr);
  }
  EXPECT_EQ(tracking.prefix_count(), 0u);
  EXPECT_EQ(tracking.session_count(), 1u);
  tracking.SendBroadcasts();
  tracking.Remember(stays.session(), "k");
  tracking.Disable(stays.session());
  EXPECT_FALSE(tracking.active());
  EXPECT_EQ(tracking.key_count(), 0u);
}

TEST(ClientTracking, BroadcastNoLoopCountsTheLastWriter) {
  ClientTracking tracking;
  Client a(1);
  tracking.Enable(a.session(), {.broadcast = true, .no_loop = true}, {});
  tracking.OnKeyModified("k", &a.session());
  tracking.SendBroadcasts();
  EXPECT_EQ(a.Take(), "");
  tracking.OnKeyModified("k", &a.session());
  tracking.OnKeyModified("k", nullptr);
  tracking.OnKeyModified("j", nullptr);
  tracking.SendBroadcasts();
  EXPECT_EQ(a.Take(), ">2\r\n$10\r\ninvalidate\r\n*2\r\n$1\r\nj\r\n$1\r\nk\r\n");
  EXPECT_FALSE(tracking.SendBroadcasts());
}

TEST(ClientTracking, TheEffortToForgetGrows) {
  ClientTracking tracking;
  Client a(1);
  tracking.Enable(a.session(), {}, {});
  for (int i = 0; i < 1000; ++i) tracking.Remember(a.session(), std::to_string(i));
  tracking.LimitTable(0);
  EXPECT_EQ(tracking.key_count(), 1000u);
  tracking.LimitTable(10);
  EXPECT_EQ(tracking.key_count(), 900u);
  tracking.LimitTable(10);
  EXPECT_EQ(tracking.key_count(), 700u);
  for (int i = 0; i < 3; ++i) tracking.LimitTable(10);
  EXPECT_EQ(tracking.key_count(), 10u);
}

TEST(ClientTracking, CachingDecidesWhatIsRemembered) {
  ClientTracking tracking;
  Client a(1);
  EXPECT_FALSE(ClientTracking::Remembers(a.session()));
  const auto remembers = [&](const TrackingOptions& options, bool caching) {
    tracking.Disable(a.session());
    tracking.Enable(a.session(), options, {});
    a.session().tracking->caching = caching;
    return ClientTracking::Remembers(a.session());
  };
  EXPECT_TRUE(remembers({}, false));
  EXPECT_FALSE(remembers({.opt_in = true}, false));
  EXPECT_TRUE(remembers({.opt_in = true}, true));
  EXPECT_TRUE(remembers({.opt_out = true}, false));
  EXPECT_FALSE(remembers({.opt_out = true}, true));
  EXPECT_FALSE(remembers({.broadcast = true}, false));
}

class Directory final : public SessionFinder {
 public:
  Session* FindSession(uint64_t id) override {
    return sessions.contains(id) ? sessions[id] : nullptr;
  }
  std::map<uint64_t, Session*> sessions;
};

TEST(ClientTracking, RedirectionThatBreaks) {
  Directory directory;
  ClientTracking tracking;
  tracking.set_finder(&directory);
  Client a(1), b(2);
  directory.sessions[2] = &b.session();
  tracking.Enable(a.session(), {.redirect = 2}, {});
  tracking.Remember(a.session(), "k");
  tracking.OnKeyModified("k", nullptr);
  EXPECT_EQ(a.Take(), "");
  EXPECT_EQ(b.Take(), Message("k"));
  directory.sessions.clear();
  tracking.OnFlush();
  EXPECT_EQ(a.Take(), ">2\r\n$21\r\ntracking-redir-broken\r\n:2\r\n");
  EXPECT_TRUE(a.session().tracking->redirect_broken);
  tracking.Enable(a.session(), {}, {});
  EXPECT_FALSE(a.session().tracking->redirect_broken);
}

TEST(ClientTracking, Resp2HearsNothingByItself) {
  ClientTracking tracking;
  Client a(1, 2);
  tracking.Enable(a.session(), {}, {});
  tracking.Remember(a.session(), "k");
  tracking.OnKeyModified("k", nullptr);
  EXPECT_EQ(a.Take(), "");
}

}  // namespace
}  // namespace backplane
