// SPDX-License-Identifier: BSD-3-Clause
// What a loaded module does: memory, strings, call replies, postponed lengths, misuse.
#include "base/memory_info.h"
#include "modhost/testing/host_fixture.h"

namespace backplane {
namespace {

using CallsTest = HostFixture;

TEST_F(CallsTest, MemoryIsCountedToTheByte) {
  ASSERT_TRUE(Load());
  const SlotUsage before = probe().memory();
  // "block:size" as the allocator rounded it.
  auto size_of = [&](const char* line) {
    const std::string reply = Run(line);
    EXPECT_EQ(reply[0], ':');
    return std::stoll(reply.substr(1));
  };
  const int64_t small = size_of("probe.alloc 0 1");
  const int64_t large = size_of("probe.alloc 1 100000");
  EXPECT_GE(large, 100000);
  EXPECT_EQ(probe().memory().bytes - before.bytes, small + large);
  EXPECT_EQ(probe().memory().blocks - before.blocks, 2);
  const int64_t grown = size_of("probe.alloc 0 5000");
  EXPECT_EQ(probe().memory().bytes - before.bytes, grown + large);
  EXPECT_EQ(probe().memory().blocks - before.blocks, 2);
  Run("probe.free 0");
  Run("probe.free 1");
  EXPECT_EQ(probe().memory().bytes, before.bytes);
  EXPECT_EQ(probe().memory().blocks, before.blocks);
}

TEST_F(CallsTest, RetainedArgumentsOutliveTheCall) {
  ASSERT_TRUE(Load());
  for (const std::string& text :
       {std::string("x"), std::string(55, 'y'), std::string(56, 'z'), std::string(100000, 'w')}) {
    {
      // The bytes are gone when the call is over.
      const std::string line = "probe.keep " + text;
      EXPECT_EQ(Run(line), "+OK\r\n");
    }
    EXPECT_EQ(Run("probe.keep"), "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n");
  }
}

TEST_F(CallsTest, RepliesOfCommandsAreReadInTermsOfResp2) {
  ASSERT_TRUE(Load());
  Run("set k value");
  auto call = [&](const std::string& line, int type, int length, const std::string& wire) {
    EXPECT_EQ(Run("probe.call " + line), "*3\r\n:" + std::to_string(type) +
                                             "\r\n:" + std::to_string(length) + "\r\n$" +
                                             std::to_string(wire.size()) + "\r\n" + wire + "\r\n");
  };
  call("get k", REDISMODULE_REPLY_STRING, 5, "$5\r\nvalue\r\n");
  call("get none", REDISMODULE_REPLY_NULL, 0, "$-1\r\n");
  call("del k", REDISMODULE_REPLY_INTEGER, 0, ":1\r\n");
  call("deep", REDISMODULE_REPLY_ARRAY, 4,
       "*4\r\n*2\r\n$2\r\npi\r\n$3\r\n3.5\r\n$-1\r\n:1\r\n*1\r\n+member\r\n");
  const std::string unknown = Run("probe.call nosuch");
  EXPECT_EQ(unknown.substr(0, 8), "*3\r\n:" + std::to_string(REDISMODULE_REPLY_ERROR) + "\r\n");
  const std::string arity = Run("probe.call get");
  EXPECT_NE(arity.find("wrong number of arguments for 'get' command"), std::string::npos);
}

TEST_F(CallsTest, PostponedLengths) {
  ASSERT_TRUE(Load());
  EXPECT_EQ(Run("probe.postponed"), "*2\r\n:1\r\n*2\r\n:2\r\n:3\r\n");
  // One that the module never gave is a whole reply all the same.
  const std::string left = Run("probe.postponed open");
  EXPECT_EQ(left[0], '*');
  EXPECT_EQ(Run("probe.echo x"), "*1\r\n$1\r\nx\r\n");
}

TEST_F(CallsTest, NullHandlesAreHarmless) {
  ASSERT_TRUE(Load());
  EXPECT_EQ(Run("probe.null"), "+OK\r\n");
}

}  // namespace
}  // namespace backplane
