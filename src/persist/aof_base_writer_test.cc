// SPDX-License-Identifier: BSD-3-Clause
// The data set as commands: what they are, that they are well-formed, and how long one may be.
#include "persist/aof_base_writer.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "persist/aof_reader.h"
#include "persist/dump_payload.h"
#include "persist/persist_test_support.h"

namespace backplane {
namespace {

using testing_support::Fill;
using Words = std::vector<std::string>;

std::vector<Words> CommandsOf(Keyspace& keyspace, AofBaseOptions options = {}) {
  std::string bytes;
  StringSink sink(&bytes);
  EXPECT_TRUE(WriteAofBase(keyspace, options, sink).has_value());
  MemorySource source(bytes);
  AofReader reader(source);
  std::vector<std::string_view> args;
  std::vector<Words> commands;
  AofReader::Outcome outcome;
  while ((outcome = reader.Next(&args)) == AofReader::Outcome::kCommand) {
    commands.emplace_back(args.begin(), args.end());
  }
  EXPECT_EQ(outcome, AofReader::Outcome::kEnd);
  return commands;
}

TEST(AofBaseWriterTest, EveryKeyOfEveryKind) {
  Keyspace keyspace(3);
  Fill(keyspace);
  std::map<std::string, std::set<std::string>> keys;  // by command
  int selects = 0;
  for (const Words& words : CommandsOf(keyspace)) {
    ASSERT_GE(words.size(), 2u);
    if (words[0] == "SELECT") ++selects;
    keys[words[0]].insert(words[1]);
    constexpr size_t kWordsMax = 2 + 2 * 64;
    EXPECT_LE(words.size(), kWordsMax);
  }
  EXPECT_EQ(selects, 2);
  EXPECT_EQ(keys["RPUSH"], (std::set<std::string>{"list", "list:large", "ttl:list"}));
  EXPECT_EQ(keys["SADD"],
            (std::set<std::string>{"set:int", "set:int:large", "set:text", "set:text:large"}));
  EXPECT_EQ(keys["HSET"], (std::set<std::string>{"hash", "hash:large"}));
  EXPECT_EQ(keys["ZADD"], (std::set<std::string>{"zset", "zset:large"}));
  EXPECT_EQ(keys["PEXPIREAT"], (std::set<std::string>{"ttl", "ttl:list"}));
  EXPECT_EQ(keys["RESTORE"], (std::set<std::string>{"dormant"}));
  EXPECT_TRUE(keys["SET"].contains("") && keys["SET"].contains("int:-1"));
}

TEST(AofBaseWriterTest, DormantValuesAreTheirPayload) {
  Keyspace keyspace(1);
  Database& db = keyspace.db(0);
  DormantType& type = keyspace.dormant_types().Of(ModuleTypeId("testtype1", 3));
  db.SetValue("dormant", DormantValue::New(type, testing_support::ModuleBody()));
  const auto commands = CommandsOf(keyspace, {.rdb_version = 10});
  ASSERT_EQ(commands.size(), 2u);
  const std::string payload = CreateDumpPayload(*db.Peek("dormant"), 10, true);
  EXPECT_EQ(commands[1], (Words{"RESTORE", "dormant", "0", payload}));
}

TEST(AofBaseWriterTest, NothingIsNothing) {
  Keyspace keyspace(2);
  EXPECT_TRUE(CommandsOf(keyspace).empty());
}

TEST(AofBaseWriterTest, AModuleThatFailsIsNotHeard) {
  class Failing final : public ModuleValues {
   public:
    explicit Failing(bool ok) : ok_(ok) {}
    Result<std::unique_ptr<Value>> Revive(uint64_t, std::string_view, std::string_view,
                                          int) override {
      return nullptr;
    }
    Status LoadAux(uint64_t, int, std::string_view) override { return {}; }
    void SaveAux(int, AuxOut&) override {}
    bool RewriteValue(const Value&, std::string_view key, int, CommandOut& out) override {
      const std::string_view words[] = {"MOD.SET", key};
      out.Command(words);
      return ok_;
    }

   private:
    bool ok_;
  };
  Keyspace keyspace(1);
  DormantType& type = keyspace.dormant_types().Of(ModuleTypeId("testtype1", 3));
  keyspace.db(0).SetValue("k", DormantValue::New(type, testing_support::ModuleBody()));
  Failing good(true);
  EXPECT_EQ(CommandsOf(keyspace, {.modules = &good})[1], (Words{"MOD.SET", "k"}));
  Failing bad(false);
  EXPECT_EQ(CommandsOf(keyspace, {.modules = &bad})[1][0], "RESTORE");
}

}  // namespace
}  // namespace backplane
