// SPDX-License-Identifier: BSD-3-Clause
// Hash commands: replies and errors to the letter, encodings, events, propagation.
#include "commands/testing/command_fixture.h"

namespace backplane {
namespace {

class HashCommandsTest : public CommandTest {};

TEST_F(HashCommandsTest, Set) {
  Check(R"(
    HSET h f v g 10 => :2|
    HSET h f w x y => :1|
    HGET h f => $1|w|
    HGET h nf => $-1|
    HGET none f => $-1|
    HMSET h a b c d => +OK|
    HSETNX h a zz => :0|
    HSETNX h new 1 => :1|
    HSETNX h2 f v => :1|
    HLEN h => :6|
    HLEN none => :0|
    HSET h f => -ERR wrong number of arguments for 'hset' command|
    HSET h f v g => -ERR wrong number of arguments for 'hset' command|
    HMSET h f v g => -ERR wrong number of arguments for 'hmset' command|
    HMSET h f => -ERR wrong number of arguments for 'hmset' command|
    HSETNX h f => -ERR wrong number of arguments for 'hsetnx' command|
    HGET h => -ERR wrong number of arguments for 'hget' command|
    HLEN => -ERR wrong number of arguments for 'hlen' command|
    SET s x => +OK|
    HSET s f v => -WRONGTYPE Operation against a key holding the wrong kind of value|
    HMSET s f v => -WRONGTYPE Operation against a key holding the wrong kind of value|
    HSETNX s f v => -WRONGTYPE Operation against a key holding the wrong kind of value|
    HGET s f => -WRONGTYPE Operation against a key holding the wrong kind of value|
    HLEN s => -WRONGTYPE Operation against a key holding the wrong kind of value|
  )");
}

TEST_F(HashCommandsTest, ReadAndDelete) {
  Check(R"(
    HSET h f v g 10 e "" => :3|
    HMGET h f nf g e => *4|$1|v|$-1|$2|10|$0||
    HMGET none a b => *2|$-1|$-1|
    HGETALL h => *6|$1|f|$1|v|$1|g|$2|10|$1|e|$0||
    HGETALL none => *0|
    HKEYS h => *3|$1|f|$1|g|$1|e|
    HKEYS none => *0|
    HVALS h => *3|$1|v|$2|10|$0||
    HVALS none => *0|
    HEXISTS h f => :1|
    HEXISTS h nf => :0|
    HEXISTS none f => :0|
    HSTRLEN h g => :2|
    HSTRLEN h nf => :0|
    HSTRLEN none f => :0|
    HDEL h f nf g => :2|
    HDEL h nf => :0|
    HDEL h e f => :1|
    EXISTS h => :0|
    HDEL none f => :0|
    SET s x => +OK|
    HMGET s a => -WRONGTYPE Operation against a key holding the wrong kind of value|
    HGETALL s => -WRONGTYPE Operation against a key holding the wrong kind of value|
    HKEYS s => -WRONGTYPE Operation against a key holding the wrong kind of value|
    HVALS s => -WRONGTYPE Operation against a key holding the wrong kind of value|
    HEXISTS s a => -WRONGTYPE Operation against a key holding the wrong kind of value|
    HSTRLEN s a => -WRONGTYPE Operation against a key holding the wrong kind of value|
    HDEL s a => -WRONGTYPE Operation against a key holding the wrong kind of value|
    HMGET h => -ERR wrong number of arguments for 'hmget' command|
    HDEL h => -ERR wrong number of arguments for 'hdel' command|
    HGETALL => -ERR wrong number of arguments for 'hgetall' command|
    HEXISTS h => -ERR wrong number of arguments for 'hexists' command|
    HSTRLEN h => -ERR wrong number of arguments for 'hstrlen' command|
  )");
}

TEST_F(HashCommandsTest, Increment) {
  Check(R"(
    HINCRBY h n 5 => :5|
    HINCRBY h n -7 => :-2|
    HGET h n => $2|-2|
    HSET h f v i 9223372036854775807 sp " 5" => :3|
    HINCRBY h f 1 => -ERR hash value is not an integer|
    HINCRBY h i 1 => -ERR increment or decrement would overflow|
    HINCRBY h sp 1 => -ERR hash value is not an integer|
    HINCRBY h n x => -ERR value is not an integer or out of range|
    HINCRBY h n 9223372036854775808 => -ERR value is not an integer or out of range|
    HINCRBY h n => -ERR wrong number of arguments for 'hincrby' command|
    SET s x => +OK|
    HINCRBY s n x => -ERR value is not an integer or out of range|
    HINCRBY s n 1 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    HINCRBYFLOAT h fl 10.50 => $4|10.5|
    HINCRBYFLOAT h fl 0.1 => $4|10.6|
    HINCRBYFLOAT h fl -5 => $3|5.6|
    HINCRBYFLOAT h fl 5.0e3 => $22|5005.60000000000000009|
    HINCRBYFLOAT h n 1.5 => $4|-0.5|
    HINCRBYFLOAT h f 1 => -ERR hash value is not a float|
    HINCRBYFLOAT h sp 1 => -ERR hash value is not a float|
    HINCRBYFLOAT h n x => -ERR value is not a valid float|
    HINCRBYFLOAT h n inf => -ERR value is NaN or Infinity|
    HINCRBYFLOAT h n nan => -ERR value is not a valid float|
    HINCRBYFLOAT s n 1 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    HINCRBYFLOAT h n => -ERR wrong number of arguments for 'hincrbyfloat' command|
    HGETALL h => *10|$1|n|$4|-0.5|$1|f|$1|v|$1|i|$19|9223372036854775807|$2|sp|$2| 5|$2|fl|$22|\
        5005.60000000000000009|
  )");
}

TEST_F(HashCommandsTest, RandomAndScan) {
  Check(R"(
    HRANDFIELD h => $-1|
    HRANDFIELD h 1 => *0|
    HRANDFIELD h 1 WITHVALUES => *0|
    HSET h f v => :1|
    HRANDFIELD h => $1|f|
    HRANDFIELD h 0 => *0|
    HRANDFIELD h 5 => *1|$1|f|
    HRANDFIELD h -3 => *3|$1|f|$1|f|$1|f|
    HRANDFIELD h 5 WITHVALUES => *2|$1|f|$1|v|
    HRANDFIELD h -2 withvalues => *4|$1|f|$1|v|$1|f|$1|v|
    HRANDFIELD h x => -ERR value is not an integer or out of range|
    HRANDFIELD none x => -ERR value is not an integer or out of range|
    HRANDFIELD h 1 foo => -ERR syntax error|
    HRANDFIELD h 1 withvalues x => -ERR syntax error|
    HRANDFIELD h -9223372036854775808 => -ERR value is out of range, value must between \
        -9223372036854775807 and 9223372036854775807|
    HRANDFIELD h -9223372036854775807 WITHVALUES => -ERR value is out of range|
    HRANDFIELD h 9223372036854775807 WITHVALUES => -ERR value is out of range|
    SET s x => +OK|
    HRANDFIELD s => -WRONGTYPE Operation against a key holding the wrong kind of value|
    HRANDFIELD s 0 => -WRONGTYPE Operation against a key holding the wrong kind of value|
    HRANDFIELD => -ERR wrong number of arguments for 'hrandfield' command|
    HSCAN h 0 => *2|$1|0|*2|$1|f|$1|v|
    HSCAN h 0 MATCH f* COUNT 5 => *2|$1|0|*2|$1|f|$1|v|
    HSCAN h 0 MATCH x* => *2|$1|0|*0|
    HSCAN none 0 => *2|$1|0|*0|
    HSCAN none 0 FOO => *2|$1|0|*0|
    HSCAN none x => -ERR invalid cursor|
    HSCAN s x => -ERR invalid cursor|
    HSCAN s 0 FOO => -WRONGTYPE Operation against a key holding the wrong kind of value|
    HSCAN h 0 FOO => -ERR syntax error|
    HSCAN h 0 MATCH => -ERR syntax error|
    HSCAN h 0 COUNT 0 => -ERR syntax error|
    HSCAN h 0 COUNT x => -ERR value is not an integer or out of range|
    HSCAN h 0 TYPE f => -ERR syntax error|
    HSCAN h => -ERR wrong number of arguments for 'hscan' command|
  )");
}

TEST_F(HashCommandsTest, Resp3) {
  fixture_.SetProtocol(3);
  Check(R"(
    HSET h f v => :1|
    HGETALL h => %1|$1|f|$1|v|
    HGETALL none => %0|
    HKEYS h => *1|$1|f|
    HVALS h => *1|$1|v|
    HGET h nf => _|
    HMGET h f nf => *2|$1|v|_|
    HRANDFIELD h 2 => *1|$1|f|
    HRANDFIELD h 2 WITHVALUES => *1|*2|$1|f|$1|v|
    HRANDFIELD h -2 WITHVALUES => *2|*2|$1|f|$1|v|*2|$1|f|$1|v|
    HRANDFIELD none => _|
    HRANDFIELD none 2 => *0|
    HINCRBYFLOAT h n 1.5 => $3|1.5|
    HSCAN h 0 MATCH f => *2|$1|0|*2|$1|f|$1|v|
  )");
}

TEST_F(HashCommandsTest, EncodingFollowsSize) {
  fixture_.limits().hash_max_listpack_entries = 4;
  fixture_.limits().hash_max_listpack_value = 8;
  Do("HSET h a 1 b 2 c 3 d 4");
  EXPECT_EQ(fixture_.Encoding("h"), "listpack");
  Do("HSET h a 5 d 6");
  EXPECT_EQ(fixture_.Encoding("h"), "listpack");
  Do("HSET h e 5");
  EXPECT_EQ(fixture_.Encoding("h"), "hashtable");
  Do("HSET v f 12345678");
  EXPECT_EQ(fixture_.Encoding("v"), "listpack");
  Do("HSET v f 123456789");
  EXPECT_EQ(fixture_.Encoding("v"), "hashtable");
  Do("HSETNX n 123456789 x");
  EXPECT_EQ(fixture_.Encoding("n"), "hashtable");
  Do("HINCRBY i f 123456789");
  EXPECT_EQ(fixture_.Encoding("i"), "hashtable");
}

// Several fields at once in a table, beyond the sizes at which they are looked up in groups.
TEST_F(HashCommandsTest, ManyFields) {
  constexpr int kFields = 1000;
  Strings set{"HSET", "h"};
  Strings get{"HMGET", "h"};
  Strings del{"HDEL", "h"};
  std::string values = "*1000\r\n";
  for (int i = 0; i < kFields; ++i) {
    set.insert(set.end(), {"f" + std::to_string(i), "v" + std::to_string(i)});
    get.push_back("f" + std::to_string(i));
    if (i % 2 == 0) del.push_back("f" + std::to_string(i));
    const std::string value = "v" + std::to_string(i);
    values += "$" + std::to_string(value.size()) + "\r\n" + value + "\r\n";
  }
  EXPECT_EQ(Run(set), ":1000\r\n");
  EXPECT_EQ(fixture_.Encoding("h"), "hashtable");
  EXPECT_EQ(Run(set), ":0\r\n");
  EXPECT_EQ(Run(get), values);
  EXPECT_EQ(Run(del), ":500\r\n");
  Check("HLEN h => :500|");
  EXPECT_EQ(Run(del), ":0\r\n");
  Check(R"(
    HEXISTS h f0 => :0|
    HGET h f999 => $4|v999|
    HSTRLEN h f999 => :4|
  )");
  // All of a table by its cursor.
  std::set<std::string> seen;
  std::string cursor = "0";
  do {
    const ParsedReply reply = Parse(Run({"HSCAN", "h", cursor, "COUNT", "20"}));
    cursor = reply.elements[0].text;
    const auto& pairs = reply.elements[1].elements;
    ASSERT_EQ(pairs.size() % 2, 0u);
    for (size_t i = 0; i < pairs.size(); i += 2) {
      EXPECT_EQ(pairs[i].text.substr(1), pairs[i + 1].text.substr(1));
      seen.insert(pairs[i].text);
    }
  } while (cursor != "0");
  EXPECT_EQ(seen.size(), 500u);
}

TEST_F(HashCommandsTest, RandomFieldsAreDistinctAndTheirOwn) {
  for (size_t size : {20, 2000}) {
    Do("DEL h");
    for (size_t i = 0; i < size; ++i) {
      Run({"HSET", "h", "f" + std::to_string(i), "v" + std::to_string(i)});
    }
    for (size_t count : {1, 7, 19}) {
      const ParsedReply reply =
          Parse(Run({"HRANDFIELD", "h", std::to_string(count), "WITHVALUES"}));
      ASSERT_EQ(reply.elements.size(), count * 2);
      std::set<std::string> fields;
      for (size_t i = 0; i < count * 2; i += 2) {
        fields.insert(reply.elements[i].text);
        EXPECT_EQ(reply.elements[i].text.substr(1), reply.elements[i + 1].text.substr(1));
      }
      EXPECT_EQ(fields.size(), count);
    }
    EXPECT_EQ(Parse(Run({"HRANDFIELD", "h", "-50"})).elements.size(), 50u);
    EXPECT_EQ(Parse(Run({"HRANDFIELD", "h", "99999"})).elements.size(), size);
  }
}

TEST_F(HashCommandsTest, RepetitionsHaveABound) {
  Do("HSET h f v");
  Check("HRANDFIELD h -9223372036854775807 => -ERR value is out of range|");
}

TEST_F(HashCommandsTest, Effects) {
  CheckEffects("HSET h a 1 b 2", {"h hset h"}, 2);
  CheckEffects("HMSET h a 1", {"h hset h"}, 1);
  CheckEffects("HSETNX h a 1", {}, 0);
  CheckEffects("HSETNX h c 1", {"h hset h"}, 1);
  CheckEffects("HINCRBY h a 5", {"h hincrby h"}, 1);
  CheckEffects("HINCRBYFLOAT h a 0.25", {"h hincrbyfloat h"}, {"HSET h a 6.25"}, 1);
  CheckEffects("HINCRBY h a 5", {}, 0);
  CheckEffects("HGETALL h", {}, 0);
  CheckEffects("HDEL h zz", {}, 0);
  CheckEffects("HDEL h a zz b", {"h hdel h"}, 2);
  CheckEffects("HDEL h c", {"h hdel h", "g del h"}, 1);
  CheckEffects("HDEL h c", {}, 0);
  CheckEffects("HSET h f v g", {}, 0);
  EXPECT_FALSE(fixture_.Exists("h"));
}

}  // namespace
}  // namespace backplane
