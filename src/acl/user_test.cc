// SPDX-License-Identifier: BSD-3-Clause
// Selectors and users: what rules amount to. Texts and protocol are tested in tests/integration.
#include "acl/user.h"

#include <gtest/gtest.h>

#include "acl/users.h"

namespace backplane {
namespace {

void Nothing(CommandContext&) {}

constexpr CommandSpec kRows[] = {
    {.name = "get",
     .handler = Nothing,
     .arity = 2,
     .flags = kCmdReadonly | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclString},
    {.name = "set",
     .handler = Nothing,
     .arity = -3,
     .flags = kCmdWrite,
     .keys = {1, 1, 1},
     .acl = kAclString},
    {.name = "config", .handler = nullptr, .arity = -2, .flags = 0},
    {.name = "config|get", .handler = Nothing, .arity = -3, .flags = kCmdAdmin},
    {.name = "config|set", .handler = Nothing, .arity = -4, .flags = kCmdAdmin},
    {.name = "auth", .handler = Nothing, .arity = -2, .flags = kCmdNoAuth},
};

class UserTest : public testing::Test {
 protected:
  UserTest() { registry_.Add(kRows); }
  void Apply(std::initializer_list<std::string_view> rules) {
    for (std::string_view rule : rules) {
      EXPECT_TRUE(user_.Apply(rule, registry_, false).has_value()) << rule;
    }
  }
  Denial Check(std::vector<std::string_view> args) {
    return user_.Check(registry_, *registry_.Resolve(args), args).denial;
  }

  CommandRegistry registry_;
  User user_{"u", false};
};

TEST_F(UserTest, MayDoNothingAtFirst) {
  EXPECT_FALSE(user_.enabled());
  EXPECT_FALSE(user_.unrestricted());
  EXPECT_EQ(Check({"get", "k"}), Denial::kCommand);
  EXPECT_EQ(Check({"auth", "x"}), Denial::kNone);  // Everybody may.
}

TEST_F(UserTest, IsUnrestrictedOnlyWithEverything) {
  Apply({"+@all", "~*"});
  EXPECT_FALSE(user_.unrestricted());
  Apply({"&*"});
  EXPECT_TRUE(user_.unrestricted());
  Apply({"-get"});
  EXPECT_FALSE(user_.unrestricted());
  Apply({"(+@all ~* &*)"});
  EXPECT_TRUE(user_.unrestricted());
  Apply({"clearselectors"});
  EXPECT_FALSE(user_.unrestricted());
}

TEST_F(UserTest, CommandsOfCategoriesAndSubcommands) {
  Apply({"~*", "+@string", "-set", "+config|get"});
  EXPECT_EQ(Check({"get", "k"}), Denial::kNone);
  EXPECT_EQ(Check({"set", "k", "v"}), Denial::kCommand);
  EXPECT_EQ(Check({"config", "get", "x"}), Denial::kNone);
  EXPECT_EQ(Check({"config", "set", "x", "y"}), Denial::kCommand);
  Apply({"+config"});
  EXPECT_EQ(Check({"config", "set", "x", "y"}), Denial::kNone);
  Apply({"-@admin"});
  EXPECT_EQ(Check({"config", "get", "x"}), Denial::kCommand);
}

// What "+@all" and categories say holds for commands that come later, and for nobody's id twice.
TEST_F(UserTest, CommandsThatComeLater) {
  Apply({"~*", "+@all", "-@dangerous"});
  EXPECT_EQ(Check({"get", "k"}), Denial::kNone);
  auto add = [&](std::string name, uint64_t acl) {
    auto command = std::make_unique<Command>();
    command->name = command->fullname = std::move(name);
    command->arity = -1;
    command->acl = acl;
    return *registry_.Add(std::move(command));
  };
  add("m.safe", kAclSlow);
  Command* risky = add("m.risky", kAclSlow | kAclDangerous);
  EXPECT_EQ(Check({"m.safe"}), Denial::kNone);
  EXPECT_EQ(Check({"m.risky"}), Denial::kCommand);
  registry_.Remove(risky);
  add("m.third", kAclSlow);
  EXPECT_EQ(Check({"m.third"}), Denial::kNone);
}

TEST_F(UserTest, FurthestSelectorIsBlamed) {
  Apply({"+get", "(+get ~a)", "(+set ~b)"});
  const std::string_view args[] = {"get", "x"};
  const AclVerdict verdict = user_.Check(registry_, *registry_.Find("get"), args);
  EXPECT_EQ(verdict.denial, Denial::kKey);
  EXPECT_EQ(verdict.arg, 1);
  EXPECT_EQ(Check({"get", "a"}), Denial::kNone);
  EXPECT_EQ(Check({"set", "a", "1"}), Denial::kKey);
}

TEST_F(UserTest, Prefixes) {
  Apply({"%R~user:*", "~all?*", "~exact"});
  EXPECT_TRUE(user_.AllowsKeyPrefix("user:", kKeyAccess));
  EXPECT_TRUE(user_.AllowsKeyPrefix("user:1:", kKeyAccess));
  EXPECT_FALSE(user_.AllowsKeyPrefix("user:", kKeyUpdate));
  EXPECT_FALSE(user_.AllowsKeyPrefix("user", kKeyAccess));
  EXPECT_FALSE(user_.AllowsKeyPrefix("exact", kKeyAccess));
  EXPECT_TRUE(user_.AllowsKeyPrefix("allx", kKeyUpdate));
}

TEST_F(UserTest, Passwords) {
  Apply({">one", ">two", ">one"});
  EXPECT_EQ(user_.passwords().size(), 2u);
  EXPECT_TRUE(user_.AcceptsPassword("two"));
  EXPECT_FALSE(user_.AcceptsPassword("three"));
  EXPECT_FALSE(user_.AcceptsPassword(""));
  Apply({"nopass"});
  EXPECT_TRUE(user_.AcceptsPassword("three"));
  EXPECT_TRUE(user_.passwords().empty());
  Apply({">three"});
  EXPECT_FALSE(user_.nopass());
}

TEST(JoinSelectorsTest, JoinsWordsInParentheses) {
  const std::string_view words[] = {"on", "(+get", "~a)", "()", "(", "x", ")"};
  EXPECT_EQ(*JoinSelectors(words), (std::vector<std::string>{"on", "(+get ~a)", "()", "( x )"}));
  const std::string_view open[] = {"on", "(+get", "~a"};
  EXPECT_FALSE(JoinSelectors(open).has_value());
}

TEST(UsersTest, AUserThatWasRemovedLivesWithItsSessions) {
  CommandRegistry registry;
  registry.Add(kRows);
  const Settings settings;
  Users users(&registry, &settings);
  const std::string_view rules[] = {"on", "nopass"};
  EXPECT_EQ(*users.Set("u", rules), nullptr);
  const std::shared_ptr<User> user = users.Login("u", "any");
  ASSERT_NE(user, nullptr);
  const std::string_view more[] = {"+get"};
  EXPECT_NE(*users.Set("u", more), nullptr);
  EXPECT_EQ(users.Find("u"), user);  // The same object, changed.
  EXPECT_TRUE(users.Remove("u"));
  EXPECT_EQ(users.Find("u"), nullptr);
  EXPECT_EQ(user->name(), "u");
}

}  // namespace
}  // namespace backplane
