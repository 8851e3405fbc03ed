// SPDX-License-Identifier: BSD-3-Clause
// Set commands: replies and errors to the letter, encodings, events, propagation.
#include "commands/testing/command_fixture.h"

namespace backplane {
namespace {

class SetCommandsTest : public CommandTest {};

TEST_F(SetCommandsTest, Members) {
  Check(R"(
    SADD a 1 2 3 => :3|
    SADD a 3 4 4 => :1|
    SADD b x y 1 => :3|
    SCARD a => :4|
    SCARD none => :0|
    SISMEMBER a 4 => :1|
    SISMEMBER a 04 => :0|
    SISMEMBER none x => :0|
    SMISMEMBER a 1 9 4 => *3|:1|:0|:1|
    SMISMEMBER none a b => *2|:0|:0|
    SMEMBERS a => *4|$1|1|$1|2|$1|3|$1|4|
    SMEMBERS b => *3|$1|x|$1|y|$1|1|
    SMEMBERS none => *0|
    SREM a 1 1 9 => :1|
    SREM none a => :0|
    SREM a 9 => :0|
    SREM a 2 3 4 => :3|
    EXISTS a => :0|
    SET s x => +OK|
    SADD s a => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SREM s a => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SCARD s => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SISMEMBER s a => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SMISMEMBER s a => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SMEMBERS s => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SADD a => -ERR wrong number of arguments for 'sadd' command|
    SREM a => -ERR wrong number of arguments for 'srem' command|
    SCARD => -ERR wrong number of arguments for 'scard' command|
    SISMEMBER a => -ERR wrong number of arguments for 'sismember' command|
    SMISMEMBER a => -ERR wrong number of arguments for 'smismember' command|
    SSCAN b 0 => *2|$1|0|*3|$1|x|$1|y|$1|1|
    SSCAN b 0 MATCH [xz] COUNT 100 => *2|$1|0|*1|$1|x|
    SSCAN none 0 FOO => *2|$1|0|*0|
    SSCAN s x => -ERR invalid cursor|
    SSCAN s 0 FOO => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SSCAN b 0 FOO => -ERR syntax error|
    SSCAN b 0 COUNT 0 => -ERR syntax error|
    SSCAN b => -ERR wrong number of arguments for 'sscan' command|
  )");
}

TEST_F(SetCommandsTest, Move) {
  Check(R"(
    SADD a 1 2 => :2|
    SADD b 2 => :1|
    SMOVE a b 1 => :1|
    SMEMBERS b => *2|$1|1|$1|2|
    SMOVE a b 2 => :1|
    EXISTS a => :0|
    SMEMBERS b => *2|$1|1|$1|2|
    SMOVE b c 1 => :1|
    SMEMBERS c => *1|$1|1|
    SMOVE b b 2 => :1|
    SMOVE b b 9 => :0|
    SMOVE b c 9 => :0|
    SMOVE none c 1 => :0|
    SET s x => +OK|
    SMOVE none s 1 => :0|
    SMOVE s none 1 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SMOVE b s 2 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SMOVE b s 9 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SMOVE b c => -ERR wrong number of arguments for 'smove' command|
  )");
}

TEST_F(SetCommandsTest, Random) {
  Check(R"(
    SPOP none => $-1|
    SPOP none 1 => *0|
    SRANDMEMBER none => $-1|
    SRANDMEMBER none 1 => *0|
    SADD a 7 => :1|
    SRANDMEMBER a => $1|7|
    SRANDMEMBER a 5 => *1|$1|7|
    SRANDMEMBER a -3 => *3|$1|7|$1|7|$1|7|
    SRANDMEMBER a 0 => *0|
    SPOP a 0 => *0|
    SPOP a => $1|7|
    EXISTS a => :0|
    SADD a 7 8 => :2|
    SPOP a 9 => *2|$1|7|$1|8|
    EXISTS a => :0|
    SADD a 7 => :1|
    SPOP a 1 2 => -ERR syntax error|
    SPOP a -1 => -ERR value is out of range, must be positive|
    SPOP a x => -ERR value is out of range, must be positive|
    SRANDMEMBER a 1 2 => -ERR syntax error|
    SRANDMEMBER a x 2 => -ERR syntax error|
    SRANDMEMBER a x => -ERR value is not an integer or out of range|
    SRANDMEMBER a -9223372036854775808 => -ERR value is out of range, value must between \
        -9223372036854775807 and 9223372036854775807|
    SET s x => +OK|
    SPOP s => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SPOP s 0 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SRANDMEMBER s => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SRANDMEMBER s 0 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SPOP => -ERR wrong number of arguments for 'spop' command|
    SRANDMEMBER => -ERR wrong number of arguments for 'srandmember' command|
  )");
}

TEST_F(SetCommandsTest, Algebra) {
  Check(R"(
    SADD a 1 2 3 => :3|
    SADD b 2 3 4 => :3|
    SADD w 3 x => :2|
    SINTER a b => *2|$1|2|$1|3|
    SINTER a b w => *1|$1|3|
    SINTER a a => *3|$1|1|$1|2|$1|3|
    SINTER a none => *0|
    SINTER none => *0|
    SDIFF a b => *1|$1|1|
    SDIFF a b w => *1|$1|1|
    SDIFF a none => *3|$1|1|$1|2|$1|3|
    SDIFF none a => *0|
    SDIFF a a => *0|
    SUNION a b => *4|$1|1|$1|2|$1|3|$1|4|
    SUNION a none => *3|$1|1|$1|2|$1|3|
    SUNION none => *0|
    SINTERSTORE d a b => :2|
    SMEMBERS d => *2|$1|2|$1|3|
    SUNIONSTORE d a b => :4|
    SMEMBERS d => *4|$1|1|$1|2|$1|3|$1|4|
    SDIFFSTORE d a b => :1|
    SMEMBERS d => *1|$1|1|
    SDIFFSTORE d a a => :0|
    EXISTS d => :0|
    SINTERSTORE a a b => :2|
    SMEMBERS a => *2|$1|2|$1|3|
    SINTERCARD 2 a b => :2|
    SINTERCARD 2 a b LIMIT 1 => :1|
    SINTERCARD 2 a b LIMIT 0 => :2|
    SINTERCARD 1 none => :0|
    SINTERCARD 1 a LIMIT 1 LIMIT 0 => :2|
    SET s x => +OK|
    SUNIONSTORE s a => :2|
    TYPE s => +set|
    SET s x => +OK|
    SINTER none s => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SINTER a s => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SUNION a s => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SDIFF a s => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SDIFF none s => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SINTERSTORE d s => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SUNIONSTORE d none s => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SDIFFSTORE d s a => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SINTERCARD 1 s => -WRONGTYPE Operation against a key holding the wrong kind of value|
    SINTERCARD 1 s LIMIT -1 => -ERR LIMIT can't be negative|
    SINTERCARD 0 a => -ERR numkeys should be greater than 0|
    SINTERCARD x a => -ERR numkeys should be greater than 0|
    SINTERCARD 2 a => -ERR Number of keys can't be greater than number of args|
    SINTERCARD 1 a LIMIT -1 => -ERR LIMIT can't be negative|
    SINTERCARD 1 a LIMIT x => -ERR LIMIT can't be negative|
    SINTERCARD 1 a LIMIT => -ERR syntax error|
    SINTERCARD 1 a FOO 1 => -ERR syntax error|
    SINTERCARD 1 => -ERR wrong number of arguments for 'sintercard' command|
    SINTER => -ERR wrong number of arguments for 'sinter' command|
    SUNIONSTORE d => -ERR wrong number of arguments for 'sunionstore' command|
  )");
}

TEST_F(SetCommandsTest, Resp3) {
  fixture_.SetProtocol(3);
  Check(R"(
    SADD a 1 2 3 => :3|
    SMEMBERS a => ~3|$1|1|$1|2|$1|3|
    SMEMBERS none => ~0|
    SISMEMBER a 1 => :1|
    SMISMEMBER a 1 9 => *2|:1|:0|
    SRANDMEMBER a 20 => *3|$1|1|$1|2|$1|3|
    SRANDMEMBER none 1 => *0|
    SRANDMEMBER none => _|
    SPOP none => _|
    SPOP none 1 => ~0|
    SINTER a a => ~3|$1|1|$1|2|$1|3|
    SINTER a none => ~0|
    SUNION a none => ~3|$1|1|$1|2|$1|3|
    SDIFF a none => ~3|$1|1|$1|2|$1|3|
    SSCAN a 0 => *2|$1|0|*3|$1|1|$1|2|$1|3|
    SPOP a 0 => ~0|
    SPOP a 5 => ~3|$1|1|$1|2|$1|3|
  )");
}

TEST_F(SetCommandsTest, EncodingFollowsMembers) {
  EncodingLimits& limits = fixture_.limits();
  limits.set_max_intset_entries = 4;
  limits.set_max_listpack_entries = 3;
  limits.set_max_listpack_value = 8;
  Do("SADD i 1 2 3 4");
  EXPECT_EQ(fixture_.Encoding("i"), "intset");
  Do("SADD i 5");
  EXPECT_EQ(fixture_.Encoding("i"), "hashtable");
  Do("SADD l a 1");
  EXPECT_EQ(fixture_.Encoding("l"), "listpack");
  Do("SADD l b");
  EXPECT_EQ(fixture_.Encoding("l"), "listpack");
  Do("SADD l c");
  EXPECT_EQ(fixture_.Encoding("l"), "hashtable");
  Do("SADD m 1");
  Do("SADD m x");
  EXPECT_EQ(fixture_.Encoding("m"), "listpack");
  Do("SADD long 123456789x");
  EXPECT_EQ(fixture_.Encoding("long"), "hashtable");
  // A result takes the encoding of its members, whatever it came from.
  Do("SINTERSTORE d i m");
  EXPECT_EQ(fixture_.Encoding("d"), "intset");
  Do("SDIFFSTORE d l m");
  EXPECT_EQ(fixture_.Encoding("d"), "listpack");
  Do("SUNIONSTORE d l i");
  EXPECT_EQ(fixture_.Encoding("d"), "hashtable");
}

// Sets of every size with every command, against std::set.
TEST_F(SetCommandsTest, AlgebraOfLargeSets) {
  for (int size : {10, 300, 3000}) {
    Do("DEL a b c");
    std::set<std::string> a, b, c;
    for (int i = 0; i < size; ++i) {
      a.insert("m" + std::to_string(i));
      b.insert("m" + std::to_string(i * 2));
      c.insert("m" + std::to_string(i * 3));
    }
    for (auto& [key, members] : {std::pair{"a", &a}, {"b", &b}, {"c", &c}}) {
      Strings add{"SADD", key};
      add.insert(add.end(), members->begin(), members->end());
      Run(add);
    }
    std::set<std::string> inter, all, diff;
    for (const auto& m : a) {
      if (b.contains(m) && c.contains(m)) inter.insert(m);
      if (!b.contains(m) && !c.contains(m)) diff.insert(m);
    }
    for (const auto* members : {&a, &b, &c}) all.insert(members->begin(), members->end());
    EXPECT_EQ(Members("SINTER a b c"), inter);
    EXPECT_EQ(Members("SUNION a b c"), all);
    EXPECT_EQ(Members("SDIFF a b c"), diff);
    Do("SINTERSTORE x a b c");
    EXPECT_EQ(Members("SMEMBERS x"), inter);
    Do("SUNIONSTORE x a b c");
    EXPECT_EQ(Members("SMEMBERS x"), all);
    Do("SDIFFSTORE x a b c");
    EXPECT_EQ(Members("SMEMBERS x"), diff);
    EXPECT_EQ(Run({"SINTERCARD", "3", "a", "b", "c"}), ":" + std::to_string(inter.size()) + "\r\n");
    Check("SINTERCARD 3 a b c LIMIT 2 => :2|");
  }
}

TEST_F(SetCommandsTest, ManyMembers) {
  Strings add{"SADD", "s"};
  Strings ask{"SMISMEMBER", "s"};
  Strings remove{"SREM", "s"};
  for (int i = 0; i < 1000; ++i) {
    add.push_back("m" + std::to_string(i));
    ask.push_back("m" + std::to_string(i));
    if (i % 4 != 0) remove.push_back("m" + std::to_string(i));
  }
  EXPECT_EQ(Run(add), ":1000\r\n");
  EXPECT_EQ(Run(add), ":0\r\n");
  EXPECT_EQ(Run(remove), ":750\r\n");
  const ParsedReply reply = Parse(Run(ask));
  ASSERT_EQ(reply.elements.size(), 1000u);
  for (size_t i = 0; i < 1000; ++i) EXPECT_EQ(reply.elements[i].text, i % 4 == 0 ? "1" : "0");
  std::set<std::string> seen;
  std::string cursor = "0";
  do {
    const ParsedReply step = Parse(Run({"SSCAN", "s", cursor, "MATCH", "m1*"}));
    cursor = step.elements[0].text;
    for (const auto& member : step.elements[1].elements) seen.insert(member.text);
  } while (cursor != "0");
  // m1.. with a multiple of 4: 12, 16, 100, 104 ... 196.
  EXPECT_EQ(seen.size(), 2u + 25u);
}

TEST_F(SetCommandsTest, DrawsAndPops) {
  for (int size : {10, 100, 1000}) {
    for (bool numbers : {true, false}) {
      Do("DEL s");
      std::set<std::string> left;
      for (int i = 0; i < size; ++i) left.insert((numbers ? "" : "m") + std::to_string(i));
      for (const auto& member : left) Run({"SADD", "s", member});
      EXPECT_EQ(Parse(Run({"SRANDMEMBER", "s", "-30"})).elements.size(), 30u);
      const auto drawn = Members("SRANDMEMBER s 5");
      EXPECT_EQ(drawn.size(), 5u);
      for (const auto& member : drawn) EXPECT_TRUE(left.contains(member));
      EXPECT_EQ(Members("SRANDMEMBER s 99999"), left);
      for (const char* line : {"SPOP s 3", "SPOP s 4"}) {
        for (const auto& member : Members(line)) EXPECT_EQ(left.erase(member), 1u) << member;
      }
      EXPECT_EQ(left.erase(Parse(Run({"SPOP", "s"})).text), 1u);
      EXPECT_EQ(Members("SMEMBERS s"), left);
      EXPECT_EQ(Members("SPOP s 99999"), left);
      EXPECT_FALSE(fixture_.Exists("s"));
    }
  }
}

TEST_F(SetCommandsTest, PopsPropagateWhatWasTaken) {
  Do("SADD s a");
  CheckEffects("SPOP s", {"s spop s", "g del s"}, {"SREM s a"}, 1);
  Do("SADD s a b");
  CheckEffects("SPOP s 2", {"s spop s", "g del s"}, {"DEL s"}, 2);
  fixture_.settings().lazyfree_lazy_server_del = true;
  Do("SADD s a b");
  CheckEffects("SPOP s 3", {"s spop s", "g del s"}, {"UNLINK s"}, 2);
  for (int i = 0; i < 2000; ++i) Run({"SADD", "s", std::to_string(i)});
  Forget();
  const auto taken = Parse(Run({"SPOP", "s", "1100"})).elements;
  EXPECT_EQ(fixture_.TakeEvents(), Strings{"s spop s"});
  EXPECT_EQ(fixture_.TakeDirty(), 1100u);
  std::string first = "SREM s", second = "SREM s";
  for (size_t i = 0; i < taken.size(); ++i) (i < 1024 ? first : second) += " " + taken[i].text;
  EXPECT_EQ(fixture_.TakePropagated(), (Strings{"MULTI", first, second, "EXEC"}));
}

TEST_F(SetCommandsTest, Effects) {
  CheckEffects("SADD s a b a", {"s sadd s"}, 2);
  CheckEffects("SADD s a", {}, 0);
  CheckEffects("SREM s zz", {}, 0);
  CheckEffects("SREM s a zz", {"s srem s"}, 1);
  CheckEffects("SMOVE s t b", {"s srem s", "g del s", "s sadd t"}, 1 + 1);
  CheckEffects("SMOVE t t b", {}, 0);
  Do("SADD s b c");
  CheckEffects("SMOVE s t b", {"s srem s"}, 1);
  CheckEffects("SREM s c", {"s srem s", "g del s"}, 1);
  CheckEffects("SUNIONSTORE d t", {"s sunionstore d"}, 1);
  CheckEffects("SINTERSTORE d d t", {"s sinterstore d"}, 1);
  CheckEffects("SDIFFSTORE e d none", {"s sdiffstore e"}, 1);
  CheckEffects("SDIFFSTORE e d t", {"g del e"}, 1);
  CheckEffects("SDIFFSTORE e d t", {}, 0);
  CheckEffects("SRANDMEMBER t 5", {}, 0);
  CheckEffects("SPOP none", {}, 0);
}

}  // namespace
}  // namespace backplane
