// SPDX-License-Identifier: BSD-3-Clause
// The command registry and key positions.
#include "command/registry.h"

#include <gtest/gtest.h>

namespace backplane {
namespace {

void Nothing(CommandContext&) {}

constexpr CommandSpec kRows[] = {
    {.name = "get",
     .handler = Nothing,
     .arity = 2,
     .flags = kCmdReadonly | kCmdFast,
     .keys = {1, 1, 1}},
    {.name = "mset",
     .handler = Nothing,
     .arity = -3,
     .flags = kCmdWrite,
     .keys = {1, -1, 2},
     .tips = "request_policy:multi_shard response_policy:all_succeeded"},
    {.name = "zunionstore",
     .handler = Nothing,
     .arity = -4,
     .flags = kCmdWrite,
     .keynum = {.numkeys_index = 2, .destination = 1}},
    {.name = "ping",
     .handler = Nothing,
     .arity = -1,
     .flags = kCmdFast,
     .tips = "request_policy:all_shards response_policy:all_succeeded"},
    {.name = "config", .handler = nullptr, .arity = -2, .flags = 0},
    {.name = "config|get", .handler = Nothing, .arity = -3, .flags = kCmdAdmin},
};

class RegistryTest : public testing::Test {
 protected:
  RegistryTest() { registry_.Add(kRows); }
  Result<std::vector<int>> Keys(std::vector<std::string_view> args) {
    return FindKeys(*registry_.Resolve(args), args);
  }
  CommandRegistry registry_;
};

TEST_F(RegistryTest, FindsInAnyCase) {
  EXPECT_NE(registry_.Find("GeT"), nullptr);
  EXPECT_EQ(registry_.Find("gets"), nullptr);
  EXPECT_EQ(registry_.Find(std::string(300, 'a')), nullptr);
  EXPECT_EQ(registry_.FindFullName("CONFIG|GET")->fullname, "config|get");
  std::string_view args[] = {"config", "Get", "x"};
  int depth;
  EXPECT_EQ(registry_.Resolve(args, &depth)->fullname, "config|get");
  EXPECT_EQ(depth, 2);
}

TEST_F(RegistryTest, DerivesCategoriesFromFlags) {
  EXPECT_EQ(registry_.Find("get")->acl, kAclRead | kAclFast);
  EXPECT_EQ(registry_.Find("mset")->acl, kAclWrite | kAclSlow);
  EXPECT_EQ(registry_.FindFullName("config|get")->acl, kAclAdmin | kAclDangerous | kAclSlow);
}

TEST_F(RegistryTest, RunTimeCommandsComeAndGo) {
  auto command = std::make_unique<Command>();
  command->name = command->fullname = "mod.cmd";
  command->arity = -1;
  uint64_t generation = registry_.generation();
  auto added = registry_.Add(std::move(command));
  ASSERT_TRUE(added.has_value());
  EXPECT_NE(registry_.generation(), generation);
  auto again = std::make_unique<Command>();
  again->name = "MOD.CMD";
  EXPECT_FALSE(registry_.Add(std::move(again)).has_value());
  registry_.Remove(*added);
  EXPECT_EQ(registry_.Find("mod.cmd"), nullptr);
}

TEST_F(RegistryTest, RenamesAndHides) {
  EXPECT_TRUE(registry_.Rename("get", "fetch").has_value());
  EXPECT_EQ(registry_.Find("get"), nullptr);
  EXPECT_EQ(registry_.Find("fetch")->name, "get");
  EXPECT_FALSE(registry_.Rename("nope", "x").has_value());
  EXPECT_FALSE(registry_.Rename("fetch", "ping").has_value());
  EXPECT_TRUE(registry_.Rename("ping", "").has_value());
  EXPECT_EQ(registry_.Find("ping"), nullptr);
}

TEST_F(RegistryTest, FindsKeyPositions) {
  EXPECT_EQ(*Keys({"get", "a"}), std::vector<int>{1});
  EXPECT_EQ(*Keys({"mset", "a", "1", "b", "2"}), (std::vector<int>{1, 3}));
  EXPECT_EQ(*Keys({"zunionstore", "d", "2", "a", "b"}), (std::vector<int>{1, 3, 4}));
  EXPECT_EQ(Keys({"ping"}).error().message, "The command has no key arguments");
  EXPECT_EQ(Keys({"get"}).error().message, "Invalid number of arguments specified for command");
  EXPECT_EQ(Keys({"zunionstore", "d", "9", "a"}).error().message,
            "Invalid arguments specified for command");
}

TEST(FlagNamesTest, AreThoseOfCommandInfo) {
  EXPECT_EQ(CommandFlagNames(kCmdWrite | kCmdFast),
            (std::vector<std::string_view>{"write", "fast"}));
  EXPECT_EQ(AclCategoryByName("hash"), uint64_t{kAclHash});
  EXPECT_EQ(AclCategoryByName("nope"), 0u);
  EXPECT_EQ(KeyFlagNames(kKeyRO | kKeyAccess), (std::vector<std::string_view>{"RO", "access"}));
}

}  // namespace
}  // namespace backplane
